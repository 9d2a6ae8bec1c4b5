use wm_core::{model::Author, permission::Permit, storage::Scope};

fn forge(author: Author, scope: Scope) -> Permit {
    Permit { author, scope, capability: None }
}

fn main() {}
