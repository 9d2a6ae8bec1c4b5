use wm_core::{permission::Permit, value::{AccountId, UserId}};

fn forge(somebody: UserId, account: AccountId) -> Permit {
    Permit::invited(somebody, account)
}

fn main() {}
