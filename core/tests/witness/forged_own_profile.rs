use wm_core::{permission::Permit, record::Actor};

fn forge(actor: &Actor) -> Permit {
    Permit::own_profile(actor)
}

fn main() {}
