//! `POST /v1/projects/{project}/artifacts`

use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::ArtifactView;
use crate::{
    operation::{
        ARCHIVED, Budget, Commit, Context, Example, Facts, Method, Outcome, Parsed, Problem,
        ReadRequest, Reply, Requires, Route, Success, UseCase, authority::ProjectRecords,
        plan::UploadPlan, schema, view,
    },
    operations::{
        content::declaration::{Declaration, declared},
        versions::VersionView,
    },
    permission::Permit,
    record::{Artifact, EventType, Record, Version},
    storage::{Key, Scope},
    value::{Capability, ProjectId, VersionId},
};

struct CreateArtifact {
    project: ProjectId,
    input: Declaration,
}

/// A document that was declared, with its first version.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedArtifact")]
struct CreatedView {
    artifact: ArtifactView,
    version: VersionView,
    /// How to send the bytes. Left out of a repeated answer if the bytes are there already.
    // The surface adds it after signing.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<UploadPlan>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts",
    "create_artifact",
    "Create a document and plan the upload of its first version",
    parse,
)
.describes(
    "Send the bytes as `upload` says, straight to the object store, then complete the \
     version. The document has no `current` version until then.",
)
.requires(Requires::Project(Capability::ArtifactCreate))
.budget(Budget::WRITE)
.takes(schema::<Declaration>, Declaration::EXAMPLE)
.answers(&[Success::created(
    schema::<CreatedView>,
    Example::Members(&[
        (
            "artifact",
            Example::With(super::EXAMPLE, &[("current", "null")]),
        ),
        ("version", crate::operations::versions::PENDING),
        ("upload", Example::Text(UploadPlan::EXAMPLE)),
    ]),
)])
.refuses(&[ARCHIVED]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateArtifact {
        input: request.body()?,
        project: request.path("project")?,
    }))
}

impl CreateArtifact {
    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, ProjectRecords), Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let permit = access.permit(self.project, Capability::ArtifactCreate)?;
        Ok((permit, records))
    }

    fn artifact(&self, context: &Context<'_>) -> Artifact {
        Artifact {
            project_id: self.project,
            name: self.input.name.clone(),
            labels: BTreeMap::new(),
            last_version: 1,
            current: None,
            storage_provider: context.surface.selection.provider,
            deleted_at: None,
        }
    }
}

fn reply(
    context: &Context<'_>,
    permit: Permit,
    artifact: &Record<Artifact>,
    version: &Record<Version>,
) -> Result<Reply, Problem> {
    let body = CreatedView {
        artifact: ArtifactView::from(artifact),
        version: VersionView::from(version),
        upload: None,
    };
    Ok(Reply {
        records: vec![artifact.key(), version.key()],
        ..declared(context, permit, version, &body)?
    })
}

impl UseCase for CreateArtifact {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(ProjectRecords::reads(self.project, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, records) = self.authorise(context, facts)?;
        let mut commit = Commit::open(context, permit.clone(), records.head)?;
        let artifact = commit.create(context.env.id("artifact"), self.artifact(context));
        let version = Version {
            project_id: self.project,
            artifact_id: artifact.id,
            number: 1,
            content: self.input.content(context),
            restored_from: None,
        };
        let id = VersionId::new(1, context.env.ulid("version"));
        let version = commit.create(id, version);
        let reply = reply(context, permit, &artifact, &version)?;
        commit.finish(EventType::ArtifactCreated, reply)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        let (permit, _) = self.authorise(context, facts)?;
        let artifact = view::replayed(facts, records, 0)?;
        let version = view::replayed(facts, records, 1)?;
        reply(context, permit, &artifact, &version)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};
    use core::time::Duration;

    use serde_json::json;

    use crate::{
        operation::Outcome,
        testing::document_fixture::{BYTES, DocumentFixture, declaration},
        value::Sha256,
    };

    #[test]
    fn document_create_plans_upload_of_one_object() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let answer = fixture
            .base
            .post(&ben, &path, declaration(BYTES))
            .expect(201);
        assert_eq!(fixture.base.rounds, 1);
        let (artifact, version) = (&answer.body["artifact"], &answer.body["version"]);
        assert_eq!(artifact["name"], "report.pdf");
        assert_eq!(artifact["versions"], 1);
        assert_eq!(artifact["current"], json!(null));
        assert_eq!(artifact["storage_provider"], "local");
        assert!(version["id"].as_str().unwrap().starts_with("ver_"));
        assert_eq!(version["number"], 1);
        assert_eq!(version["status"], "pending");
        assert_eq!(version["uploaded_by"], ben.id());
        DocumentFixture::assert_no_internal_fields(version);
        let upload = answer.upload();
        let document = format!("{path}/{}/versions/1", artifact["id"].as_str().unwrap());
        assert_eq!(upload.path().to_string(), fixture.object_path(&document));
        assert_eq!(upload.permit().author().to_string(), ben.id());
        assert_eq!(upload.size().bytes(), BYTES.len() as u64);
        assert_eq!(fixture.events().last().unwrap(), "artifact.created");
    }

    #[test]
    fn case_43_caller_cannot_extend_a_plan() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let answer = fixture.base.post(&ben, &path, declaration(BYTES));
        let quarter = fixture.base.now.after(Duration::from_secs(15 * 60));
        assert_eq!(answer.upload().expires_at(), quarter);
        assert_eq!(answer.body["version"]["upload_expires_at"], json!(quarter));
        let mut large = declaration(BYTES);
        large["size"] = json!(64 * 1024 * 1024 + 1);
        let answer = fixture.base.post(&ben, &path, large);
        let day = fixture.base.now.after(Duration::from_secs(24 * 60 * 60));
        assert_eq!(answer.upload().expires_at(), day);
        let mut longer = declaration(BYTES);
        longer["expires_at"] = json!("2099-01-01T00:00:00Z");
        assert_eq!(fixture.base.post(&ben, &path, longer).field(), "expires_at");
    }

    #[test]
    fn case_44_zero_bytes_are_accepted_and_over_five_gib_refused() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let artifact = fixture.declared(b"");
        let version = format!("{artifact}/versions/1");
        fixture.put(&version, b"");
        assert_eq!(fixture.complete(&version).expect(200).body["size"], 0);
        let before = fixture.base.dump();
        let limit = 5_u64 * 1024 * 1024 * 1024;
        for size in [json!(limit + 1), json!(-1), json!(1.5), json!("12")] {
            let mut body = declaration(BYTES);
            body["size"] = size;
            assert_eq!(fixture.base.post(&ben, &path, body).field(), "size");
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_40_path_like_names_are_refused_and_spellings_unite() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let before = fixture.base.dump();
        let long = "x".repeat(1024);
        for name in [
            "../x", "%2e%2e", "a\\b", "a/b", "%252e", "x.", &long, "a\0b",
        ] {
            let mut body = declaration(BYTES);
            body["name"] = json!(name);
            assert_eq!(fixture.base.post(&ben, &path, body).field(), "name");
        }
        assert_eq!(fixture.base.dump(), before);
        let mut body = declaration(BYTES);
        body["name"] = json!("cafe\u{301}.pdf");
        let answer = fixture.base.post(&ben, &path, body).expect(201);
        assert_eq!(answer.body["artifact"]["name"], "caf\u{e9}.pdf");
    }

    #[test]
    fn case_26_server_fields_are_not_taken_from_the_body() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let before = fixture.base.dump();
        for field in [
            "id",
            "version",
            "created_by",
            "status",
            "project_id",
            "uploaded_by",
        ] {
            let mut body = declaration(BYTES);
            body[field] = json!("available");
            assert_eq!(fixture.base.post(&ben, &path, body).field(), field);
        }
        for field in ["name", "media_type", "size", "sha256"] {
            let mut body = declaration(BYTES);
            body.as_object_mut().unwrap().remove(field);
            assert_eq!(fixture.base.post(&ben, &path, body).field(), field);
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn document_create_refuses_outsiders_and_commenters() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.artifacts();
        let before = fixture.base.dump();
        let (otto, cleo) = (fixture.otto.clone(), fixture.cleo.clone());
        fixture
            .base
            .post(&otto, &path, declaration(BYTES))
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&cleo, &path, declaration(BYTES))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["artifact.create"]));
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_37_archived_project_refuses_new_documents() {
        let mut fixture = DocumentFixture::new();
        fixture.archive();
        let (ana, path) = (fixture.ana.clone(), fixture.artifacts());
        let before = fixture.base.dump();
        fixture
            .base
            .post(&ana, &path, declaration(BYTES))
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn document_create_repeated_signs_again_while_open() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let key = [("idempotency-key", "one")];
        let body = declaration(BYTES);
        let first = fixture
            .base
            .send(&ben, "POST", &path, &key, Some(body.clone()))
            .expect(201);
        let stored = fixture.base.dump();
        let second = fixture
            .base
            .send(&ben, "POST", &path, &key, Some(body.clone()))
            .expect(201);
        assert_eq!(second.body, first.body);
        assert_eq!(second.upload().path(), first.upload().path());
        assert_eq!(fixture.base.dump(), stored);
        let other = declaration(b"other");
        fixture
            .base
            .send(&ben, "POST", &path, &key, Some(other))
            .expect_problem("idempotency-mismatch");
        fixture.base.pass(Duration::from_secs(15 * 60));
        let late = fixture
            .base
            .send(&ben, "POST", &path, &key, Some(body.clone()))
            .expect(201);
        assert!(late.reply.unwrap().sign.is_none());
        fixture.remove(&ben);
        fixture
            .base
            .send(&ben, "POST", &path, &key, Some(body))
            .expect_problem("not-found");
    }

    #[test]
    fn case_46_every_upload_has_its_own_object() {
        let mut fixture = DocumentFixture::new();
        let artifact = fixture.declared(BYTES);
        let (ben, path) = (fixture.ben.clone(), format!("{artifact}/versions"));
        let first = fixture.base.post(&ben, &path, declaration(BYTES));
        let second = fixture.base.post(&ben, &path, declaration(BYTES));
        assert_ne!(first.upload().path(), second.upload().path());
        assert_eq!(first.upload().sha256(), Sha256::of(BYTES));
    }

    #[test]
    fn case_38_committed_revocation_cancels_the_signing() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let Outcome::Commit(batch, _) = fixture.decided(&ben, &path, &declaration(BYTES)) else {
            panic!("declaring commits")
        };
        fixture.revoke(&ben);
        let before = fixture.base.dump();
        // The surface signs after the commit. The repeated decision refuses, so no URL is signed.
        assert!(fixture.base.try_commit(&batch).is_err());
        fixture
            .base
            .post(&ben, &path, declaration(BYTES))
            .expect_problem("not-found");
        assert_eq!(fixture.base.dump(), before);
    }
}
