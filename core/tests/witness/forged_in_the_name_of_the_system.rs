use wm_core::{permission::Permit, storage::Scope};

fn forge(scope: Scope) -> Permit {
    Permit::system(scope)
}

fn main() {}
