//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/restore`

use alloc::{boxed::Box, vec::Vec};

use super::{VersionView, next_number};
use crate::{
    operation::{
        ARCHIVED, Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase,
        content::{ContentRef, Stored, current_of},
        schema, view,
    },
    record::{Artifact, Content, ContentStatus, EventType, Record, Version},
    storage::{Key, Scope},
    value::{Capability, VersionId},
};

/// Restoring creates a new version with the same bytes.
struct RestoreVersion {
    target: ContentRef<Version>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/restore",
    "restore_version",
    "Make an old version the current one",
    parse,
)
.describes("Creates a new version with the same bytes. Nothing is uploaded.")
.requires(Requires::Project(Capability::VersionCreate))
.budget(Budget::WRITE)
.answers(&[Success::created(
    schema::<VersionView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[
    ARCHIVED,
    (
        ProblemKind::Conflict,
        "the bytes of the version are not available",
    ),
    (ProblemKind::Conflict, "the document has 100,000 versions"),
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(RestoreVersion {
        target: ContentRef::of(request)?,
    }))
}

fn reply(version: &Record<Version>) -> Reply {
    view::created(version, &VersionView::from(version))
}

/// A version that shares the bytes of another one. The object is not copied.
fn restored(context: &Context<'_>, source: &Record<Version>, number: u32) -> Version {
    let (source, id) = (&source.body, source.id);
    Version {
        number,
        content: Content {
            uploaded_by: context.user(),
            upload_expires_at: context.env.now,
            stored_as: Some(source.content.stored_as.unwrap_or(id)),
            ..source.content.clone()
        },
        restored_from: Some(id),
        ..source.clone()
    }
}

impl UseCase for RestoreVersion {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found, source) = self.target.authorise(context, facts, Version::CREATE)?;
        if source.body.content.status != ContentStatus::Available {
            return Err(Problem::conflict(
                "only a version whose bytes are available can be restored",
            ));
        }
        let number = next_number(&found.artifact.body)?;
        let version = restored(context, &source, number);
        let id = VersionId::new(number, context.env.ulid("version"));
        let artifact = Artifact {
            last_version: number,
            current: Some(current_of(id, &version)),
            ..found.artifact.body.clone()
        };
        let mut commit = found.commit(context, permit)?;
        commit.update(&found.artifact, artifact);
        let version = commit.create(id, version);
        commit.finish(EventType::VersionRestored, reply(&version))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.document.scope())
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        self.target.authorise(context, facts, Version::CREATE)?;
        Ok(reply(&view::replayed(facts, records, 0)?))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use serde_json::json;

    use crate::testing::document_fixture::{BYTES, DocumentFixture};

    #[test]
    fn restored_version_is_a_new_one_with_the_same_bytes() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let second = fixture.added(&path, b"second");
        fixture.put(&second, b"second");
        fixture.complete(&second).expect(200);
        let (bea, restore) = (fixture.bea.clone(), format!("{path}/versions/1/restore"));
        let answer = fixture.base.post(&bea, &restore, json!({})).expect(201);
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(answer.body["number"], 3);
        assert_eq!(answer.body["restored_from"], 1);
        assert_eq!(answer.body["status"], "available");
        assert_eq!(answer.body["uploaded_by"], bea.id());
        DocumentFixture::assert_no_internal_fields(&answer.body);
        assert_eq!(fixture.shown(&path)["current"]["number"], 3);
        assert_eq!(fixture.shown(&path)["current"]["size"], BYTES.len());
        // A restored version of a restored version still shares the bytes of the first one.
        let again = format!("{path}/versions/3/restore");
        fixture.base.post(&bea, &again, json!({})).expect(201);
        let download = format!("{path}/versions/4/download");
        let signed = fixture.base.post(&bea, &download, json!({})).expect(200);
        let object = fixture.object_path(&format!("{path}/versions/1"));
        assert_eq!(signed.download().path().to_string(), object);
        assert_eq!(signed.download().object_version(), Some("object-1"));
    }

    #[test]
    fn version_restore_repeated_restores_once() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (ben, restore) = (fixture.ben.clone(), format!("{path}/versions/1/restore"));
        let key = [("idempotency-key", "again")];
        let first = fixture
            .base
            .send(&ben, "POST", &restore, &key, None)
            .expect(201);
        let second = fixture
            .base
            .send(&ben, "POST", &restore, &key, None)
            .expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(fixture.shown(&path)["versions"], 2);
    }

    #[test]
    fn refused_version_restore_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let pending = fixture.added(&path, b"second");
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let (vera, otto) = (fixture.vera.clone(), fixture.otto.clone());
        let restore = format!("{path}/versions/1/restore");
        let before = fixture.base.dump();
        fixture
            .base
            .post(&otto, &restore, json!({}))
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&vera, &restore, json!({}))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["version.create"]));
        let unfinished = format!("{pending}/restore");
        fixture
            .base
            .post(&ben, &unfinished, json!({}))
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture
            .base
            .post(&ana, &restore, json!({}))
            .expect_problem("conflict");
    }
}
