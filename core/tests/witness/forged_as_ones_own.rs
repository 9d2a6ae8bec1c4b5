use wm_core::{permission::Permit, value::UserId};

fn forge(somebody: UserId) -> Permit {
    Permit::own(somebody)
}

fn main() {}
