//! People with access to a project.

use alloc::vec::Vec;

use super::{Access, AccountAccess, Reason};
use crate::value::Capability;

/// The people of `people` who have the capability, each with the records that give it. Without a
/// capability, all people with any access. `access` sets project and time; its person is ignored.
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
