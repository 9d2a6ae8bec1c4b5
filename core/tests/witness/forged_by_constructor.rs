use wm_core::{permission::Permit, storage::Scope, value::{Capability, UserId}};

fn forge(user: UserId, scope: Scope) -> Permit {
    Permit::granted(user, scope, Capability::ProjectEdit)
}

fn main() {}
