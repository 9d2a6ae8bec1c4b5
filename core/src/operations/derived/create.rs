//! `POST /v1/projects/{project}/artifacts/{artifact}/derived`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DerivedView;
use crate::{
    operation::{
        ARCHIVED, Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase,
        content::{ArtifactRef, ContentRef, Stored},
        plan::UploadPlan,
        schema,
    },
    operations::content::declaration::{Declaration, declared, declared_before},
    permission::Permit,
    record::{ContentStatus, Derived, EventType, Record, Version, VersionRef},
    storage::{Key, Scope, Sort},
    value::{Capability, DerivedId, FileName, Kind, MediaType, Sha256, Size, VersionId},
};

struct CreateDerived {
    target: ArtifactRef,
    source_version: u32,
    kind: Kind,
    supersedes: Option<DerivedId>,
    declaration: Declaration,
}

/// A derived output to declare.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewDerived")]
struct Input {
    /// The number of the version that it was made from, which must be available.
    source_version: u32,
    /// What it is, such as `text` or `thumbnail`.
    kind: Kind,
    name: FileName,
    media_type: MediaType,
    /// The size in bytes.
    size: Size,
    /// The SHA-256 digest of all bytes.
    sha256: Sha256,
    /// The output of the same document that it replaces once it is available.
    supersedes: Option<DerivedId>,
}

/// A derived output that was declared.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedDerived")]
struct CreatedView {
    derived: DerivedView,
    /// How to send the bytes. Left out of a repeated answer if the bytes are there already.
    // The surface adds it after signing.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<UploadPlan>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/derived",
    "create_derived",
    "Declare a derived output of a version and plan its upload",
    parse,
)
.describes(
    "For files made from a version, such as a text layer or a thumbnail. `kind` is free. An \
     output that `supersedes` another one replaces it once it is available.",
)
.requires(Requires::Project(Capability::DerivedCreate))
.budget(Budget::WRITE)
.takes(schema::<Input>, BODY)
.answers(&[Success::created(
    schema::<CreatedView>,
    Example::Members(&[
        (
            "derived",
            Example::With(
                super::EXAMPLE,
                &[
                    ("status", r#""pending""#),
                    ("upload_expires_at", r#""2026-03-03T09:30:00.000Z""#),
                ],
            ),
        ),
        ("upload", Example::Text(UploadPlan::EXAMPLE)),
    ]),
)])
.refuses(&[
    ARCHIVED,
    (
        ProblemKind::InvalidRequest,
        "`source_version` is not an available version of the document",
    ),
    (
        ProblemKind::InvalidRequest,
        "`supersedes` is not a derived output of the document",
    ),
]);

const BODY: &str = r#"{
  "source_version": 1,
  "kind": "text",
  "name": "Floor plan.txt",
  "media_type": "text/plain",
  "size": 1280,
  "sha256": "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"
}"#;

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input: Input = request.body()?;
    Ok(Box::new(CreateDerived {
        target: ArtifactRef::of(request)?,
        source_version: input.source_version,
        kind: input.kind,
        supersedes: input.supersedes,
        declaration: Declaration {
            name: input.name,
            media_type: input.media_type,
            size: input.size,
            sha256: input.sha256,
        },
    }))
}

impl CreateDerived {
    fn source(&self) -> ContentRef<Version> {
        ContentRef {
            document: self.target,
            reference: VersionRef::Number(self.source_version),
        }
    }

    fn superseded_key(&self) -> Option<Key> {
        let sort = Sort::derived(self.target.artifact, self.supersedes?);
        Some(self.target.scope().key(sort))
    }

    /// Checks that the records named in the body exist. Returns the id of the source.
    fn check_named(&self, facts: &Facts) -> Result<VersionId, Problem> {
        let source = self.source().record_any(facts)?;
        let available =
            |version: &Record<Version>| version.body.content.status == ContentStatus::Available;
        let source = source.filter(available).ok_or_else(|| {
            Problem::field(
                "source_version",
                "must be an available version of this document",
            )
        })?;
        if let Some(key) = self.superseded_key()
            && facts.item(&key)?.is_none()
        {
            return Err(Problem::field(
                "supersedes",
                "must be a derived output of this document",
            ));
        }
        Ok(source.id)
    }

    fn derived(&self, context: &Context<'_>, source_version: VersionId) -> Derived {
        Derived {
            project_id: self.target.project,
            artifact_id: self.target.artifact,
            source_version,
            kind: self.kind.clone(),
            content: self.declaration.content(context),
            supersedes: self.supersedes,
            superseded_by: None,
        }
    }
}

fn reply(
    context: &Context<'_>,
    permit: Permit,
    derived: &Record<Derived>,
) -> Result<Reply, Problem> {
    let body = CreatedView {
        derived: DerivedView::from(derived),
        upload: None,
    };
    declared(context, permit, derived, &body)
}

impl UseCase for CreateDerived {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = self.target.reads(context.user());
        reads.push(self.source().read());
        reads.extend(self.superseded_key().map(ReadRequest::Get));
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found) = self.target.authorise(context, facts, Derived::CREATE)?;
        let source = self.check_named(facts)?;
        let mut commit = found.commit(context, permit.clone())?;
        let derived = self.derived(context, source);
        let derived = commit.create(context.env.id("derived"), derived);
        commit.finish(EventType::DerivedCreated, reply(context, permit, &derived)?)
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
        let (permit, derived) = declared_before(self.target, context, facts, records)?;
        reply(context, permit, &derived)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use serde_json::{Value, json};

    use crate::testing::document_fixture::{BYTES, DocumentFixture, declaration};

    fn output(bytes: &[u8]) -> Value {
        let mut body = declaration(bytes);
        body["source_version"] = json!(1);
        body["kind"] = json!("text");
        body
    }

    #[test]
    fn derived_output_is_declared_for_an_available_version() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/derived", fixture.uploaded());
        let bea = fixture.bea.clone();
        let answer = fixture.base.post(&bea, &path, output(b"text")).expect(201);
        assert_eq!(fixture.base.rounds, 1);
        let derived = &answer.body["derived"];
        assert_eq!(derived["source_version"], 1);
        assert_eq!(derived["kind"], "text");
        assert_eq!(derived["status"], "pending");
        assert_eq!(derived["uploaded_by"], bea.id());
        DocumentFixture::assert_no_internal_fields(derived);
        let object = fixture.object_path(&format!("{path}/{}", derived["id"].as_str().unwrap()));
        assert_eq!(answer.upload().path().to_string(), object);
        assert_eq!(fixture.events().last().unwrap(), "derived.created");
    }

    #[test]
    fn derived_output_names_only_existing_records() {
        let mut fixture = DocumentFixture::new();
        let artifact = fixture.uploaded();
        fixture.added(&artifact, b"second");
        let foreign = fixture.uploaded();
        let foreign = fixture.derived(&foreign, b"text", json!({}));
        let foreign = foreign.rsplit('/').next().unwrap();
        let (ben, path) = (fixture.ben.clone(), format!("{artifact}/derived"));
        let before = fixture.base.dump();
        for (field, value) in [
            // A pending version, an undeclared version and an invalid number.
            ("source_version", json!(2)),
            ("source_version", json!(3)),
            ("source_version", json!("1")),
            ("supersedes", json!(foreign)),
            ("supersedes", json!("drv_01h2xcejqtf2nbrexx3vqjhp41")),
            ("kind", json!("Text Layer")),
            ("superseded_by", json!(foreign)),
        ] {
            let mut body = output(b"text");
            body[field] = value;
            assert_eq!(fixture.base.post(&ben, &path, body).field(), field);
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn derived_create_repeated_declares_one_output() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/derived", fixture.uploaded());
        let (ben, key) = (fixture.ben.clone(), [("idempotency-key", "text")]);
        let body = Some(output(b"text"));
        let first = fixture
            .base
            .send(&ben, "POST", &path, &key, body.clone())
            .expect(201);
        let second = fixture
            .base
            .send(&ben, "POST", &path, &key, body)
            .expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(first.upload().path(), second.upload().path());
    }

    #[test]
    fn refused_derived_create_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/derived", fixture.uploaded());
        let (ana, cleo, otto) = (
            fixture.ana.clone(),
            fixture.cleo.clone(),
            fixture.otto.clone(),
        );
        let before = fixture.base.dump();
        fixture
            .base
            .post(&otto, &path, output(BYTES))
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&cleo, &path, output(BYTES))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["derived.create"]));
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture
            .base
            .post(&ana, &path, output(BYTES))
            .expect_problem("conflict");
    }
}
