use wm_core::{permission::Permit, record::Author, storage::Scope};

fn forge(author: Author, scope: Scope) -> Permit {
    Permit { author, scope, capability: None }
}

fn main() {}
