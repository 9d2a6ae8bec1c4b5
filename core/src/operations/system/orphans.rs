//! Objects nobody refers to.

use core::time::Duration;

use crate::{
    api::Problem,
    facts::{Ask, Facts},
    model::{ContentStatus, Derived, Record, Version},
    operations::content::{AnyPlace, Place, Stored},
    storage::ObjectPath,
};

/// How old an object must be before the sweep asks whether it is an orphan: 24 hours, as long as
/// the longest upload plan lasts.
pub const ORPHAN_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What must be known to tell whether an object is an orphan.
#[must_use]
pub fn ask(path: &ObjectPath) -> Ask {
    Ask::Get(AnyPlace::of_object(path).key())
}

/// Whether an object may be removed: no record ever stood for it, or the upload it came by had
/// expired. Rejected bytes stay for audit, a deleted artifact's until it is restored, and a restored
/// version's are those of the version it restores.
///
/// # Errors
/// When the fact was not asked for or the record cannot be read: the object stays then.
pub fn is_orphan(path: &ObjectPath, facts: &Facts) -> Result<bool, Problem> {
    match AnyPlace::of_object(path) {
        AnyPlace::Version(place) => unused::<Version>(&place, path, facts),
        AnyPlace::Derived(place) => unused::<Derived>(&place, path, facts),
    }
}

fn unused<S: Stored>(place: &Place<S>, path: &ObjectPath, facts: &Facts) -> Result<bool, Problem> {
    let record: Option<Record<S>> = facts.record(&place.key())?;
    Ok(record.is_none_or(|record| {
        let expired = record.body.content().status == ContentStatus::Expired;
        expired || S::object_path(&record) != *path
    }))
}
