use wm_core::{permission::Permit, record::Actor};

fn forge(somebody: &Actor) -> Permit {
    Permit::own_profile(somebody)
}

fn main() {}
