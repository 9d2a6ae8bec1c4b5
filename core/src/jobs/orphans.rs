//! Objects nobody refers to.

use core::time::Duration;

use crate::{
    operation::{Facts, Problem, ReadRequest},
    operations::content::{AnyPlace, Place, Stored},
    record::{ContentStatus, Derived, Record, Version},
    storage::ObjectPath,
};

/// How old an object must be before the sweep asks whether it is an orphan: 24 hours, as long as
/// the longest upload plan lasts.
pub const ORPHAN_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What must be known to tell whether an object is an orphan.
#[must_use]
pub fn ask(path: &ObjectPath) -> ReadRequest {
    ReadRequest::Get(AnyPlace::of_object(path).key())
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

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{
        jobs::finalise_upload::finalise_upload,
        operation::Answer,
        testing::document_fixture::{BYTES, DocumentFixture},
    };

    fn orphaned(fixture: &DocumentFixture, object: &str) -> bool {
        let path = object.parse().unwrap();
        let ReadRequest::Get(key) = ask(&path) else {
            panic!("one record tells")
        };
        let mut facts = Facts::default();
        let item = fixture.world.store.get(&key).cloned();
        facts.insert(ReadRequest::Get(key), Answer::Item(item));
        is_orphan(&path, &facts).unwrap()
    }

    #[test]
    fn an_object_without_a_record_is_an_orphan_and_one_with_is_not() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let derived = fixture.derived(&path, b"text", json!({}));
        let available = fixture.object_path(&format!("{path}/versions/1"));
        let undeclared = fixture.object_path(&format!("{path}/versions/2"));
        let pending = fixture.object_path(&derived);
        let foreign = available.replace("report.pdf", "other.pdf");
        let ana = fixture.ana.clone();
        fixture.world.delete(&ana, &path).expect(204);
        assert!(!orphaned(&fixture, &available));
        assert!(!orphaned(&fixture, &pending));
        assert!(orphaned(&fixture, &undeclared));
        assert!(orphaned(&fixture, &foreign));
        let absent = pending.replace("derived/drv_0", "derived/drv_1");
        assert!(orphaned(&fixture, &absent));
    }

    #[test]
    fn what_came_too_late_is_an_orphan_and_what_was_rejected_is_kept() {
        let mut fixture = DocumentFixture::new();
        let late = format!("{}/versions/1", fixture.declared(BYTES));
        let wrong = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&wrong, b"Dear reader!");
        fixture.complete(&wrong).expect_problem("upload-mismatch");
        fixture.world.pass(Duration::from_secs(15 * 60));
        let object = fixture.object_path(&late);
        assert!(!orphaned(&fixture, &object));
        let key = AnyPlace::of_object(&object.parse().unwrap()).key();
        fixture.system(&*finalise_upload(&key).unwrap()).unwrap();
        assert!(orphaned(&fixture, &object));
        assert!(!orphaned(&fixture, &fixture.object_path(&wrong)));
    }

    #[test]
    fn the_bytes_of_a_restored_version_are_those_of_its_source() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (ben, restore) = (fixture.ben.clone(), format!("{path}/versions/1/restore"));
        fixture.world.post(&ben, &restore, json!({})).expect(201);
        let source = fixture.object_path(&format!("{path}/versions/1"));
        assert!(!orphaned(&fixture, &source));
        // Nothing was ever to be stored under the number of the restored one.
        let own = fixture.object_path(&format!("{path}/versions/2"));
        assert!(orphaned(&fixture, &own));
    }
}
