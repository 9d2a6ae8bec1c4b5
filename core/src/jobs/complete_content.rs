//! Completion of uploads on storage events.

use alloc::{boxed::Box, vec, vec::Vec};

use crate::{
    operation::{
        Commit, Context, Facts, Outcome, Problem, ReadRequest, UseCase,
        authority::head_key,
        content::{
            AnyContentRef, ContentRef, Stored,
            completion::{Evidence, UploadState, upload_state},
        },
    },
    permission::Permit,
    record::{Artifact, Content, ContentStatus, Record},
    storage::{ObjectPath, Scope},
};

/// Completes the upload of the object at this path. It reads and hashes the object if the provider
/// does not verify its digest. It may be repeated.
///
/// A refusal leaves the object to the sweep, and a retry has no effect. It is 404 if no record
/// waits for the object, and 409 if the upload expired or the uploader lost the right to upload.
#[must_use]
pub fn complete_content(path: &ObjectPath) -> Box<dyn UseCase<Completed>> {
    match AnyContentRef::of_object(path) {
        AnyContentRef::Version(target) => Box::new(CompleteContent { target }),
        AnyContentRef::Derived(target) => Box::new(CompleteContent { target }),
    }
}

/// The result of completing an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// The bytes equal the declaration.
    Available,
    /// The bytes arrived and are not hashed yet.
    Verifying,
    /// The bytes differ from the declaration and are never served.
    Rejected,
}

impl Completed {
    fn of(content: &Content) -> Self {
        match content.status {
            ContentStatus::Available => Self::Available,
            ContentStatus::Rejected => Self::Rejected,
            _ => Self::Verifying,
        }
    }
}

/// Completes an upload on behalf of the person who declared it.
pub(super) struct CompleteContent<S: Stored> {
    pub(super) target: ContentRef<S>,
}

impl<S: Stored> CompleteContent<S> {
    fn find(&self, facts: &Facts) -> Result<(Record<Artifact>, Record<S>), Problem> {
        let artifact: Option<Record<Artifact>> = facts.record(&self.target.document.key())?;
        let artifact = artifact
            .filter(|artifact| !artifact.deleted)
            .ok_or_else(Problem::not_found)?;
        Ok((artifact, self.target.record(facts)?))
    }

    fn evidence(record: &Record<S>) -> Evidence {
        Evidence::Object(ReadRequest::Stat {
            path: S::object_path(record),
            hash: true,
        })
    }
}

impl<S: Stored> UseCase<Completed> for CompleteContent<S> {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = vec![
            ReadRequest::Get(head_key(self.target.document.scope())),
            ReadRequest::Get(self.target.document.key()),
            self.target.read(),
        ];
        if facts.has_all(&reads) {
            let (_, record) = self.find(facts)?;
            if upload_state(record.body.content(), context.env.now)? != UploadState::Available {
                let completion = self.target.completion(context, facts, &record);
                reads.extend(completion.reads(Self::evidence(&record))?);
            }
        }
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Completed>, Problem> {
        let (artifact, record) = self.find(facts)?;
        if upload_state(record.body.content(), context.env.now)? == UploadState::Available {
            return Ok(Outcome::Reply(Completed::Available));
        }
        let scope = self.target.document.scope();
        let head = facts.record(&head_key(scope))?;
        let permit = Permit::complete_upload(self.target.document.project, record.body.content())?;
        let mut commit = Commit::open(context, permit, head)?;
        let completion = self.target.completion(context, facts, &record);
        let (record, event) =
            completion.examine(&mut commit, &artifact, &Self::evidence(&record))?;
        commit.conclude(event, Completed::of(record.body.content()))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.document.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{
        operation::ProblemKind,
        testing::document_fixture::{BYTES, DocumentFixture},
        value::Sha256,
    };

    /// Reports to the core that the object of a version or derived output was created.
    fn arrived(fixture: &mut DocumentFixture, document: &str) -> Result<Completed, Problem> {
        let path: ObjectPath = fixture.object_path(document).parse().unwrap();
        fixture.system(&*complete_content(&path))
    }

    #[test]
    fn upload_is_completed_by_the_arrival_of_its_object() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.declared(BYTES);
        let version = format!("{path}/versions/1");
        fixture.put(&version, BYTES);
        assert_eq!(arrived(&mut fixture, &version), Ok(Completed::Available));
        let shown = fixture.shown(&version);
        assert_eq!(shown["status"], "available");
        assert_eq!(shown["updated_by"], "system");
        assert_eq!(fixture.shown(&path)["current"]["number"], 1);
        let stored = fixture.base.dump();
        assert_eq!(arrived(&mut fixture, &version), Ok(Completed::Available));
        assert_eq!(fixture.complete(&version).expect(200).body, shown);
        assert_eq!(fixture.base.dump(), stored);
    }

    #[test]
    fn arrival_of_a_derived_output_supersedes_the_previous() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let old = fixture.derived(&path, b"text", json!({}));
        let old_id = fixture.shown(&old)["id"].clone();
        let new = fixture.derived(&path, b"better", json!({ "supersedes": old_id }));
        fixture.put(&new, b"better");
        arrived(&mut fixture, &new).unwrap();
        assert_eq!(
            fixture.shown(&old)["superseded_by"],
            fixture.shown(&new)["id"]
        );
    }

    #[test]
    fn case_48_arrival_of_other_bytes_is_rejected() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, b"Dear reader!");
        assert_eq!(arrived(&mut fixture, &version), Ok(Completed::Rejected));
        assert_eq!(fixture.shown(&version)["status"], "rejected");
    }

    #[test]
    fn large_object_under_verification_is_hashed_and_finished() {
        for (digest, status) in [
            (Sha256::of(BYTES), "available"),
            (Sha256::of(b""), "rejected"),
        ] {
            let mut fixture = DocumentFixture::new();
            let version = fixture.verifying();
            // The plan expired long ago, but the bytes arrived in time, so they are still verified.
            fixture.base.pass(Duration::from_secs(48 * 60 * 60));
            let unhashed = arrived(&mut fixture, &version).unwrap_err();
            assert_eq!(unhashed.kind, ProblemKind::Unavailable);
            fixture.put_large(&version, Some(digest));
            arrived(&mut fixture, &version).unwrap();
            assert_eq!(fixture.shown(&version)["status"], status);
        }
    }

    #[test]
    fn late_and_unexpected_objects_are_left_to_the_sweep() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.declared(BYTES);
        let version = format!("{path}/versions/1");
        let undeclared = format!("{path}/versions/2");
        fixture.put(&version, BYTES);
        fixture.put(&undeclared, BYTES);
        let before = fixture.base.dump();
        let absent = arrived(&mut fixture, &undeclared).unwrap_err();
        assert_eq!(absent.kind, ProblemKind::NotFound);
        fixture.base.pass(Duration::from_secs(15 * 60));
        let late = arrived(&mut fixture, &version).unwrap_err();
        assert_eq!(late.kind, ProblemKind::Conflict);
        assert_eq!(fixture.base.dump(), before);
        let ana = fixture.ana.clone();
        fixture.base.delete(&ana, &path).expect(204);
        let deleted = arrived(&mut fixture, &version).unwrap_err();
        assert_eq!(deleted.kind, ProblemKind::NotFound);
    }

    #[test]
    fn arrival_is_refused_after_the_uploader_lost_access() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        let ben = fixture.ben.clone();
        fixture.revoke(&ben);
        let before = fixture.base.dump();
        let refused = arrived(&mut fixture, &version).unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Conflict);
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_37_arrival_in_an_archived_project_is_refused() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        fixture.archive();
        let before = fixture.base.dump();
        let refused = arrived(&mut fixture, &version).unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Conflict);
        assert_eq!(fixture.base.dump(), before);
    }
}
