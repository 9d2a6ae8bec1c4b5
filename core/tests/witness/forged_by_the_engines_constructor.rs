use wm_core::{permission::Permit, storage::Scope, value::UserId};

fn forge(user: UserId, scope: Scope) -> Permit {
    Permit::granted(user, scope, None)
}

fn main() {}
