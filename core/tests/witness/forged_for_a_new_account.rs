use wm_core::{permission::Permit, record::Actor, value::AccountId};

fn forge(actor: &Actor, existing: AccountId) -> Permit {
    Permit::new_account(actor, existing)
}

fn main() {}
