//! Who has access to a project.

use alloc::vec::Vec;

use super::{Access, AccountAccess, Reason};
use crate::value::Capability;

/// Those of `people` who have the capability, or without one any access at all, each with the
/// records that give it. `access` says which project and when; whose it is does not matter.
pub fn subjects<'a>(
    access: Access<'a>,
    people: impl IntoIterator<Item = AccountAccess<'a>>,
    capability: Option<Capability>,
) -> impl Iterator<Item = (Access<'a>, Vec<Reason>)> {
    people
        .into_iter()
        .map(move |person| access.of(person))
        .map(move |access| match capability {
            Some(capability) => (access, access.explain(capability)),
            None => (access, access.reasons().collect()),
        })
        .filter(|(_, reasons)| !reasons.is_empty())
}
