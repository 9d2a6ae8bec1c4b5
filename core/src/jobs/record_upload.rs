//! Recording the provider's id of an upload in parts.

use alloc::{boxed::Box, string::String, vec, vec::Vec};

use crate::{
    operation::{
        Commit, Context, Facts, Outcome, Problem, ReadRequest, UseCase,
        authority::head_key,
        content::{AnyContentRef, ContentRef, Stored},
    },
    permission::Permit,
    record::{Content, ContentStatus},
    storage::{ObjectPath, Scope},
};

/// Records the provider's id of the upload in parts for the object at this path. It is stored
/// before the client receives the plan, because completion needs the id.
///
/// The answer is 409 if the record no longer waits for bytes, or if another plan was started at the
/// same time. The caller then aborts the upload it started.
#[must_use]
pub fn record_upload(path: &ObjectPath, upload_id: String) -> Box<dyn UseCase<()>> {
    match AnyContentRef::of_object(path) {
        AnyContentRef::Version(target) => Box::new(RecordUpload { target, upload_id }),
        AnyContentRef::Derived(target) => Box::new(RecordUpload { target, upload_id }),
    }
}

struct RecordUpload<S: Stored> {
    target: ContentRef<S>,
    upload_id: String,
}

impl<S: Stored> UseCase<()> for RecordUpload<S> {
    fn reads(&self, _: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(vec![
            ReadRequest::Get(head_key(self.target.document.scope())),
            self.target.read(),
        ])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<()>, Problem> {
        let record = self.target.record(facts)?;
        let before = record.body.content();
        // An earlier call recorded the id, and its answer was lost.
        if before.upload_id.as_ref() == Some(&self.upload_id) {
            return Ok(Outcome::Reply(()));
        }
        if before.status != ContentStatus::Pending || before.upload_id.is_some() {
            return Err(Problem::conflict(
                "another upload plan was issued at the same time; request the plan again",
            ));
        }
        let scope = self.target.document.scope();
        let head = facts.record(&head_key(scope))?;
        let mut commit = Commit::open(
            context,
            Permit::record_upload(self.target.document.project, before)?,
            head,
        )?;
        let content = Content {
            upload_id: Some(self.upload_id.clone()),
            ..before.clone()
        };
        commit.update(&record, record.body.with_content(content));
        commit.conclude(S::EVENTS.upload_started, ())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.document.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use super::*;
    use crate::{
        operation::ProblemKind,
        testing::document_fixture::{BYTES, DocumentFixture, LARGE, declaration},
    };

    #[test]
    fn first_upload_id_recorded_is_kept() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let mut body = declaration(BYTES);
        body["size"] = json!(LARGE);
        let answer = fixture.base.post(&ben, &path, body).expect(201);
        let upload = answer.upload();
        fixture.start_parts(upload);
        assert_eq!(fixture.events().last().unwrap(), "version.upload_started");
        let stored = fixture.base.dump();
        fixture.start_parts(upload);
        let other = record_upload(upload.path(), "parts-2".into());
        let refused = fixture.system(&*other).unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Conflict);
        assert_eq!(fixture.base.dump(), stored);
        let id = answer.body["artifact"]["id"].as_str().unwrap();
        let shown = fixture.shown(&format!("{path}/{id}/versions/1"));
        DocumentFixture::assert_no_internal_fields(&shown);
    }

    #[test]
    fn upload_id_is_refused_once_the_bytes_arrived() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.uploaded());
        let path: ObjectPath = fixture.object_path(&version).parse().unwrap();
        let before = fixture.base.dump();
        let refused = fixture
            .system(&*record_upload(&path, "parts-1".into()))
            .unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Conflict);
        assert_eq!(fixture.base.dump(), before);
    }
}
