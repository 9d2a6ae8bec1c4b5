//! Preview of changes to the grants of a project.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{Access, AccountAccess};
use crate::{
    record::{Grant, Record},
    value::{Capabilities, GrantId, UserId},
};

/// The capabilities that a change gives one person and takes from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The person.
    pub user: UserId,
    /// Capabilities after the change that the person lacks now.
    pub gained: Capabilities,
    /// Capabilities now that the person would lack after the change.
    pub lost: Capabilities,
}

/// The grants after adding some and revoking some, in the order that [`Access`] needs.
#[must_use]
pub fn changed(
    grants: &[Record<Grant>],
    add: impl IntoIterator<Item = Record<Grant>>,
    revoke: &BTreeSet<GrantId>,
) -> Vec<Record<Grant>> {
    let kept = grants.iter().filter(|grant| !revoke.contains(&grant.id));
    let mut after: Vec<_> = kept.cloned().chain(add).collect();
    after.sort_by_key(|grant| (grant.body.principal, grant.id));
    after
}

/// For each person in `people` whose access would change: the capabilities gained and lost if the
/// grants of the project were `after`. The grants in `after` are sorted by principal.
pub fn preview<'a>(
    access: Access<'a>,
    after: &'a [Record<Grant>],
    people: impl IntoIterator<Item = AccountAccess<'a>>,
) -> impl Iterator<Item = Difference> {
    people.into_iter().filter_map(move |person| {
        let now = access.of(person);
        let then = Access {
            grants: after,
            ..now
        };
        let (before, after) = (now.effective(), then.effective());
        let difference = Difference {
            user: person.user,
            gained: after.without(before),
            lost: before.without(after),
        };
        (before != after).then_some(difference)
    })
}
