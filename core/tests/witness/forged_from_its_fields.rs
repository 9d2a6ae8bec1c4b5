use wm_core::{permission::{Permit, Right}, record::Author, storage::Scope};

fn forge(author: Author, scope: Scope) -> Permit {
    Permit { author, scope, right: Right::OwnProfile }
}

fn main() {}
