//! What a change of a project's grants would do.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{Access, AccountAccess};
use crate::{
    record::{Grant, Record},
    value::{Capabilities, GrantId, UserId},
};

/// What a change would give one person and take from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The person.
    pub user: UserId,
    /// What they could do afterwards and cannot do now.
    pub gained: Capabilities,
    /// What they can do now and could not do afterwards.
    pub lost: Capabilities,
}

/// The grants as they would be with some added and some revoked, in the order [`Access`] needs.
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

/// For each of `people` for whom anything would change, what they would gain and lose if the
/// project's grants were `after`, sorted by principal.
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
