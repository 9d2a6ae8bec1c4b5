use wm_core::{permission::Permit, record::Team, value::AccountId};

fn forge(account: AccountId, team: &Team) -> Permit {
    Permit::retire_team(account, team).unwrap()
}

fn main() {}
