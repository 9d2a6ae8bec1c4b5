//! `POST /v1/projects/{project}/artifacts/{artifact}/versions`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::{VersionView, next_number};
use crate::{
    operation::{
        ARCHIVED, Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase,
        content::{ArtifactRef, Stored},
        plan::UploadPlan,
        schema,
    },
    operations::content::declaration::{Declaration, declared, declared_before},
    permission::Permit,
    record::{Artifact, EventType, Record, Version},
    storage::{Key, Scope},
    value::{Capability, VersionId},
};

struct CreateVersion {
    target: ArtifactRef,
    input: Declaration,
}

/// A version that was declared.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedVersion")]
struct CreatedView {
    version: VersionView,
    /// How to send the bytes. Left out of a repeated answer if the bytes are there already.
    // The surface adds it after signing.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<UploadPlan>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions",
    "create_version",
    "Declare a further version of a document and plan its upload",
    parse,
)
.describes(
    "Send the bytes as `upload` says, straight to the object store, then complete the \
     version. A document has at most 100,000 versions.",
)
.requires(Requires::Project(Capability::VersionCreate))
.budget(Budget::WRITE)
.takes(schema::<Declaration>, Declaration::EXAMPLE)
.answers(&[Success::created(
    schema::<CreatedView>,
    Example::Members(&[
        ("version", super::PENDING),
        ("upload", Example::Text(UploadPlan::EXAMPLE)),
    ]),
)])
.refuses(&[
    ARCHIVED,
    (ProblemKind::Conflict, "the document has 100,000 versions"),
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateVersion {
        input: request.body()?,
        target: ArtifactRef::of(request)?,
    }))
}

fn reply(
    context: &Context<'_>,
    permit: Permit,
    version: &Record<Version>,
) -> Result<Reply, Problem> {
    let body = CreatedView {
        version: VersionView::from(version),
        upload: None,
    };
    declared(context, permit, version, &body)
}

impl UseCase for CreateVersion {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found) = self.target.authorise(context, facts, Version::CREATE)?;
        let number = next_number(&found.artifact.body)?;
        let mut commit = found.commit(context, permit.clone())?;
        let artifact = Artifact {
            last_version: number,
            ..found.artifact.body.clone()
        };
        commit.update(&found.artifact, artifact);
        let version = Version {
            project_id: self.target.project,
            artifact_id: self.target.artifact,
            number,
            content: self.input.content(context),
            restored_from: None,
        };
        let id = VersionId::new(number, context.env.ulid("version"));
        let version = commit.create(id, version);
        commit.finish(EventType::VersionCreated, reply(context, permit, &version)?)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.scope())
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        let (permit, version) = declared_before(self.target, context, facts, records)?;
        reply(context, permit, &version)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use serde_json::json;

    use crate::{
        testing::document_fixture::{BYTES, DocumentFixture, declaration},
        value::VersionId,
    };

    #[test]
    fn version_create_declares_next_and_keeps_current_version() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (bea, versions) = (fixture.bea.clone(), format!("{path}/versions"));
        let answer = fixture
            .base
            .post(&bea, &versions, declaration(b"second"))
            .expect(201);
        assert_eq!(fixture.base.rounds, 1);
        let version = &answer.body["version"];
        assert_eq!(version["number"], 2);
        let id: VersionId = serde_json::from_value(version["id"].clone()).unwrap();
        assert_eq!(id.number(), 2);
        assert_eq!(version["uploaded_by"], bea.id());
        assert_eq!(
            answer.upload().path().to_string(),
            fixture.object_path(&format!("{versions}/2"))
        );
        let artifact = fixture.shown(&path);
        assert_eq!(artifact["versions"], 2);
        assert_eq!(artifact["current"]["number"], 1);
        assert_eq!(fixture.events().last().unwrap(), "version.created");
    }

    #[test]
    fn version_create_repeated_declares_one_version() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/versions", fixture.uploaded());
        let (ben, key) = (fixture.ben.clone(), [("idempotency-key", "two")]);
        let body = Some(declaration(b"second"));
        let first = fixture
            .base
            .send(&ben, "POST", &path, &key, body.clone())
            .expect(201);
        let second = fixture
            .base
            .send(&ben, "POST", &path, &key, body)
            .expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(second.upload().path(), first.upload().path());
        assert_eq!(fixture.shown(&path)["items"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn refused_version_create_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/versions", fixture.uploaded());
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let (cleo, otto) = (fixture.cleo.clone(), fixture.otto.clone());
        let before = fixture.base.dump();
        let body = declaration(BYTES);
        fixture
            .base
            .post(&otto, &path, body.clone())
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&cleo, &path, body.clone())
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["version.create"]));
        for (field, value) in [
            ("media_type", "text/html; charset=utf-8"),
            ("sha256", "0123"),
            ("number", "7"),
        ] {
            let mut body = body.clone();
            body[field] = json!(value);
            assert_eq!(fixture.base.post(&ben, &path, body).field(), field);
        }
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture
            .base
            .post(&ana, &path, body)
            .expect_problem("conflict");
    }
}
