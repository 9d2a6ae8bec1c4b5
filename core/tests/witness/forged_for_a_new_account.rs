use wm_core::{permission::Permit, record::Actor, value::AccountId};

fn forge(somebody: &Actor, existing: AccountId) -> Permit {
    Permit::new_account(somebody, existing)
}

fn main() {}
