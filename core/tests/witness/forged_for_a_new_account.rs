use wm_core::{permission::Permit, value::{AccountId, UserId}};

fn forge(somebody: UserId, existing: AccountId) -> Permit {
    Permit::new_account(somebody, existing)
}

fn main() {}
