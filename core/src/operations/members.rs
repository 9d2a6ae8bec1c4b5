//! Members.

use crate::{
    api::{Problem, ProblemKind, Route},
    commit::Commit,
    model::{Account, Member, Record},
    value::UserId,
};

/// The routes.
pub const ROUTES: &[&Route] = &[];

/// Keeps the account's list of active owners exact, in the very commit that changes a membership.
///
/// # Errors
/// 409 `last-owner` when none would be left.
pub(crate) fn keep_owners(
    commit: &mut Commit<'_>,
    account: &Record<Account>,
    user: UserId,
    member: &Member,
) -> Result<(), Problem> {
    let owners = account.body.owners_with(user, member);
    if owners.is_empty() {
        return Err(Problem::new(
            ProblemKind::LastOwner,
            "this is the account's last active owner; make someone else an owner first",
        ));
    }
    if owners.len() != account.body.owners.len() {
        let body = account.body.clone();
        commit.update(account, Account { owners, ..body });
    }
    Ok(())
}
