use wm_core::{permission::{Permit, Right}, storage::Scope, value::UserId};

fn forge(user: UserId, scope: Scope) -> Permit {
    Permit::of(user, scope, Right::AnswerInvitation)
}

fn main() {}
