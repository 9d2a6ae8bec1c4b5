//! Completing an upload from the storage side.

use alloc::{boxed::Box, vec, vec::Vec};

use crate::{
    operation::{
        Commit, Context, Facts, Outcome, Problem, ReadRequest, UseCase, authority::head_key,
    },
    operations::content::{
        AnyPlace, Place, Stored,
        completion::{Completion, Evidence, UploadState, upload_state},
    },
    permission::Permit,
    record::{Artifact, Content, ContentStatus, Record},
    storage::{ObjectPath, Scope},
};

/// Completes the upload of the object at this path, reading and hashing it where the provider cannot
/// vouch for its digest; for storage events. It may be repeated.
///
/// A refusal (404 when no record waits for the object, 409 when its time is over or its uploader lost
/// the right to upload) leaves the object to the sweep: there is nothing to try again.
#[must_use]
pub fn complete_content(path: &ObjectPath) -> Box<dyn UseCase<Completed>> {
    match AnyPlace::of_object(path) {
        AnyPlace::Version(place) => Box::new(CompleteContent { place }),
        AnyPlace::Derived(place) => Box::new(CompleteContent { place }),
    }
}

/// What completing an upload came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// The bytes are the declared ones.
    Available,
    /// The bytes are there and still to be hashed.
    Verifying,
    /// The bytes are other ones and are never served.
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

/// Completes an upload on behalf of whoever declared it.
pub(super) struct CompleteContent<S: Stored> {
    pub(super) place: Place<S>,
}

impl<S: Stored> CompleteContent<S> {
    /// The artifact and the record.
    fn find(&self, facts: &Facts) -> Result<(Record<Artifact>, Record<S>), Problem> {
        let artifact: Option<Record<Artifact>> = facts.record(&self.place.below.key())?;
        let artifact = artifact
            .filter(|artifact| !artifact.deleted)
            .ok_or_else(Problem::not_found)?;
        Ok((artifact, self.place.record(facts)?))
    }

    fn completion<'a>(
        &self,
        context: &'a Context<'a>,
        facts: &'a Facts,
        record: &'a Record<S>,
    ) -> Completion<'a, S> {
        Completion {
            context,
            facts,
            project: self.place.below.project,
            record,
        }
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
        let mut asks = vec![
            ReadRequest::Get(head_key(self.place.below.scope())),
            ReadRequest::Get(self.place.below.key()),
            ReadRequest::Get(self.place.key()),
        ];
        if facts.has_all(&asks) {
            let (_, record) = self.find(facts)?;
            if upload_state(record.body.content(), context.env.now)? != UploadState::Available {
                let completion = self.completion(context, facts, &record);
                asks.extend(completion.reads(Self::evidence(&record))?);
            }
        }
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Completed>, Problem> {
        let (artifact, record) = self.find(facts)?;
        if upload_state(record.body.content(), context.env.now)? == UploadState::Available {
            return Ok(Outcome::Reply(Completed::Available));
        }
        let scope = self.place.below.scope();
        let head = facts.record(&head_key(scope))?;
        let permit = Permit::complete_upload(self.place.below.project, record.body.content())?;
        let mut commit = Commit::open(context, permit, head)?;
        let completion = self.completion(context, facts, &record);
        let (record, event) =
            completion.examine(&mut commit, &artifact, &Self::evidence(&record))?;
        commit.conclude(event, Completed::of(record.body.content()))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.below.scope())
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

    /// The object store reports that the object of a version or derived output was created.
    fn arrived(fixture: &mut DocumentFixture, document: &str) -> Result<Completed, Problem> {
        let path: ObjectPath = fixture.object_path(document).parse().unwrap();
        fixture.system(&*complete_content(&path))
    }

    #[test]
    fn an_upload_nobody_completes_is_completed_by_its_arrival() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.declared(BYTES);
        let version = format!("{path}/versions/1");
        fixture.put(&version, BYTES);
        assert_eq!(arrived(&mut fixture, &version), Ok(Completed::Available));
        let shown = fixture.shown(&version);
        assert_eq!(shown["status"], "available");
        assert_eq!(shown["updated_by"], "system");
        assert_eq!(fixture.shown(&path)["current"]["number"], 1);
        let stored = fixture.world.dump();
        assert_eq!(arrived(&mut fixture, &version), Ok(Completed::Available));
        assert_eq!(fixture.complete(&version).expect(200).body, shown);
        assert_eq!(fixture.world.dump(), stored);
    }

    #[test]
    fn the_arrival_of_an_output_supersedes_the_one_before() {
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
    fn case_48_other_bytes_are_rejected_on_arrival_too() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, b"Dear reader!");
        assert_eq!(arrived(&mut fixture, &version), Ok(Completed::Rejected));
        assert_eq!(fixture.shown(&version)["status"], "rejected");
    }

    #[test]
    fn a_large_object_under_verification_is_hashed_and_settled() {
        for (digest, status) in [
            (Sha256::of(BYTES), "available"),
            (Sha256::of(b""), "rejected"),
        ] {
            let mut fixture = DocumentFixture::new();
            let version = fixture.verifying();
            // Long after the plan ended: the bytes came in time, so they are still verified.
            fixture.world.pass(Duration::from_secs(48 * 60 * 60));
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
        let before = fixture.world.dump();
        let absent = arrived(&mut fixture, &undeclared).unwrap_err();
        assert_eq!(absent.kind, ProblemKind::NotFound);
        fixture.world.pass(Duration::from_secs(15 * 60));
        let late = arrived(&mut fixture, &version).unwrap_err();
        assert_eq!(late.kind, ProblemKind::Conflict);
        assert_eq!(fixture.world.dump(), before);
        let ana = fixture.ana.clone();
        fixture.world.delete(&ana, &path).expect(204);
        let deleted = arrived(&mut fixture, &version).unwrap_err();
        assert_eq!(deleted.kind, ProblemKind::NotFound);
    }

    #[test]
    fn bytes_of_somebody_who_lost_access_are_not_taken() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        let ben = fixture.ben.clone();
        fixture.revoke(&ben);
        let before = fixture.world.dump();
        let refused = arrived(&mut fixture, &version).unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Conflict);
        assert_eq!(fixture.world.rounds, 2);
        assert_eq!(fixture.world.dump(), before);
    }

    #[test]
    fn case_37_an_archived_project_takes_no_arrival() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        fixture.archive();
        let before = fixture.world.dump();
        let refused = arrived(&mut fixture, &version).unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Conflict);
        assert_eq!(fixture.world.dump(), before);
    }
}
