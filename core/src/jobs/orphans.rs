//! Objects without a record.

use core::time::Duration;

use crate::{
    operation::{
        Facts, Problem, ReadRequest,
        content::{AnyContentRef, ContentRef, Stored},
    },
    record::{ContentStatus, Derived, Version},
    storage::ObjectPath,
};

/// The age from which the sweep checks whether an object is an orphan: 24 hours, the longest
/// lifetime of an upload plan.
pub const ORPHAN_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The read that decides whether an object is an orphan.
#[must_use]
pub fn read_request(path: &ObjectPath) -> ReadRequest {
    AnyContentRef::of_object(path).read()
}

/// Whether an object may be removed: it has no record, or its upload expired. Rejected bytes are
/// kept for audit, the bytes of a deleted artifact until it is restored. A restored version uses
/// the object of its source.
///
/// # Errors
/// If the fact is missing or the record cannot be read. The object is then kept.
pub fn is_orphan(path: &ObjectPath, facts: &Facts) -> Result<bool, Problem> {
    match AnyContentRef::of_object(path) {
        AnyContentRef::Version(target) => unused::<Version>(&target, path, facts),
        AnyContentRef::Derived(target) => unused::<Derived>(&target, path, facts),
    }
}

fn unused<S: Stored>(
    target: &ContentRef<S>,
    path: &ObjectPath,
    facts: &Facts,
) -> Result<bool, Problem> {
    Ok(target.record_any(facts)?.is_none_or(|record| {
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
        let ReadRequest::Get(key) = read_request(&path) else {
            panic!("an orphan check is one read")
        };
        let mut facts = Facts::default();
        let item = fixture.base.store.get(&key).cloned();
        facts.insert(ReadRequest::Get(key), Answer::Item(item));
        is_orphan(&path, &facts).unwrap()
    }

    #[test]
    fn object_without_a_record_is_an_orphan() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let derived = fixture.derived(&path, b"text", json!({}));
        let available = fixture.object_path(&format!("{path}/versions/1"));
        let undeclared = fixture.object_path(&format!("{path}/versions/2"));
        let pending = fixture.object_path(&derived);
        let foreign = available.replace("report.pdf", "other.pdf");
        let ana = fixture.ana.clone();
        fixture.base.delete(&ana, &path).expect(204);
        assert!(!orphaned(&fixture, &available));
        assert!(!orphaned(&fixture, &pending));
        assert!(orphaned(&fixture, &undeclared));
        assert!(orphaned(&fixture, &foreign));
        let absent = pending.replace("derived/drv_0", "derived/drv_1");
        assert!(orphaned(&fixture, &absent));
    }

    #[test]
    fn late_object_is_an_orphan_and_rejected_object_is_kept() {
        let mut fixture = DocumentFixture::new();
        let late = format!("{}/versions/1", fixture.declared(BYTES));
        let wrong = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&wrong, b"Dear reader!");
        fixture.complete(&wrong).expect_problem("upload-mismatch");
        fixture.base.pass(Duration::from_secs(15 * 60));
        let object = fixture.object_path(&late);
        assert!(!orphaned(&fixture, &object));
        let key = fixture.key(&late).unwrap();
        fixture.system(&*finalise_upload(&key).unwrap()).unwrap();
        assert!(orphaned(&fixture, &object));
        assert!(!orphaned(&fixture, &fixture.object_path(&wrong)));
    }

    #[test]
    fn restored_version_uses_the_bytes_of_its_source() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (ben, restore) = (fixture.ben.clone(), format!("{path}/versions/1/restore"));
        fixture.base.post(&ben, &restore, json!({})).expect(201);
        let source = fixture.object_path(&format!("{path}/versions/1"));
        assert!(!orphaned(&fixture, &source));
        // A restored version has no object under its own number.
        let restored = fixture.object_path(&format!("{path}/versions/2"));
        assert!(orphaned(&fixture, &restored));
    }
}
