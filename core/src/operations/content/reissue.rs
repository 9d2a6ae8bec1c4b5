//! `POST …/versions/{number}/upload` and `POST …/derived/{derived}/upload`

use alloc::{boxed::Box, vec, vec::Vec};

use schemars::JsonSchema;
use serde_json::json;

use super::declaration::{plan, upload_end};
use crate::{
    operation::{
        ARCHIVED, Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase,
        content::{
            ContentRef, FoundArtifact, Stored,
            completion::{UploadState, upload_state},
        },
        plan::UploadPlan,
        schema,
    },
    permission::Permit,
    record::{Content, Record},
    storage::{Key, Scope},
};

pub(crate) struct Reissue<S: Stored> {
    target: ContentRef<S>,
}

/// An upload plan that was issued again.
#[derive(JsonSchema)]
#[schemars(rename = "IssuedUpload")]
#[expect(
    dead_code,
    reason = "the schema of what is answered once the plan is signed"
)]
struct IssuedView {
    /// How to send the bytes.
    upload: UploadPlan,
}

const ANSWERS: &[Success] = &[Success::ok(
    schema::<IssuedView>,
    Example::Members(&[("upload", Example::Text(UploadPlan::EXAMPLE))]),
)];

const REFUSALS: &[(ProblemKind, &str)] = &[
    ARCHIVED,
    (
        ProblemKind::Conflict,
        "the upload was not completed in time",
    ),
    (ProblemKind::Conflict, "the bytes have arrived already"),
    (
        ProblemKind::UploadMismatch,
        "the upload was rejected because its bytes were not the declared ones",
    ),
];

impl<S: Stored> Reissue<S> {
    /// The route for records of this family.
    pub(crate) const fn route(
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
    ) -> Route {
        Route::new(Method::Post, path, operation, summary, Self::parse)
            .describes(
                "For uploads whose signed URLs expired. The plan is valid until the upload expires.",
            )
            .requires(Requires::Project(S::CREATE))
            .budget(Budget::WRITE)
            .answers(ANSWERS)
            .refuses(REFUSALS)
    }

    fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
        request.no_body()?;
        Ok(Box::new(Self {
            target: ContentRef::of(request)?,
        }))
    }

    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, FoundArtifact, Record<S>), Problem> {
        let (permit, found, record) = self.target.authorise(context, facts, S::CREATE)?;
        if upload_state(record.body.content(), context.env.now)? == UploadState::Awaited {
            return Ok((permit, found, record));
        }
        Err(Problem::conflict(
            "the bytes have arrived already, so no upload plan is needed; complete the upload",
        ))
    }
}

fn reply<S: Stored>(
    context: &Context<'_>,
    permit: Permit,
    record: &Record<S>,
) -> Result<Reply, Problem> {
    Ok(Reply {
        records: vec![record.key()],
        sign: plan(context, permit, record)?,
        ..Reply::ok(json!({}))
    })
}

impl<S: Stored> UseCase for Reissue<S> {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found, record) = self.authorise(context, facts)?;
        let mut commit = found.commit(context, permit.clone())?;
        let before = record.body.content();
        let content = Content {
            upload_expires_at: upload_end(before.size, context),
            ..before.clone()
        };
        let record = commit.update(&record, record.body.with_content(content));
        commit.finish(S::EVENTS.reissued, reply(context, permit, &record)?)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.document.scope())
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        let (permit, _, record) = self.authorise(context, facts)?;
        reply(context, permit, &record)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};
    use core::time::Duration;

    use serde_json::json;

    use crate::testing::document_fixture::{BYTES, DocumentFixture, LARGE, declaration};

    const ALMOST: Duration = Duration::from_secs(14 * 60);

    #[test]
    fn reissued_upload_gets_a_new_expiry() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.base.pass(ALMOST);
        let (bea, upload) = (fixture.bea.clone(), format!("{version}/upload"));
        let answer = fixture.base.post(&bea, &upload, json!({})).expect(200);
        assert_eq!(fixture.base.rounds, 1);
        let plan = answer.upload();
        assert_eq!(plan.path().to_string(), fixture.object_path(&version));
        let end = fixture.base.now.after(Duration::from_secs(15 * 60));
        assert_eq!(plan.expires_at(), end);
        assert_eq!(fixture.events().last().unwrap(), "version.reissued");
        fixture.base.pass(ALMOST);
        fixture.put(&version, BYTES);
        fixture.complete(&version).expect(200);
    }

    #[test]
    fn reissued_plan_keeps_the_multipart_upload() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.artifacts());
        let mut body = declaration(BYTES);
        body["size"] = json!(LARGE);
        let declared = fixture.base.post(&ben, &path, body).expect(201);
        let id = declared.body["artifact"]["id"].as_str().unwrap();
        let upload = format!("{path}/{id}/versions/1/upload");
        // The multipart upload is started here if an earlier request stopped before it was.
        let answer = fixture.base.post(&ben, &upload, json!({})).expect(200);
        assert_eq!(answer.upload().upload_id(), None);
        fixture.start_parts(answer.upload());
        let answer = fixture.base.post(&ben, &upload, json!({})).expect(200);
        assert_eq!(answer.upload().upload_id(), Some("parts-1"));
    }

    #[test]
    fn reissue_repeated_signs_the_same_upload() {
        let mut fixture = DocumentFixture::new();
        let upload = format!("{}/versions/1/upload", fixture.declared(BYTES));
        let (ben, key) = (fixture.ben.clone(), [("idempotency-key", "again")]);
        let first = fixture
            .base
            .send(&ben, "POST", &upload, &key, None)
            .expect(200);
        let stored = fixture.base.dump();
        fixture.base.pass(Duration::from_secs(60));
        let second = fixture
            .base
            .send(&ben, "POST", &upload, &key, None)
            .expect(200);
        assert_eq!(second.upload().expires_at(), first.upload().expires_at());
        assert_eq!(fixture.base.dump(), stored);
    }

    #[test]
    fn case_45_stored_bytes_get_no_new_plan() {
        let mut fixture = DocumentFixture::new();
        let upload = format!("{}/versions/1/upload", fixture.uploaded());
        let (ben, before) = (fixture.ben.clone(), fixture.base.dump());
        fixture
            .base
            .post(&ben, &upload, json!({}))
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn refused_reissue_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let upload = format!("{}/versions/1/upload", fixture.declared(BYTES));
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let (vera, otto) = (fixture.vera.clone(), fixture.otto.clone());
        let before = fixture.base.dump();
        fixture
            .base
            .post(&otto, &upload, json!({}))
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&vera, &upload, json!({}))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["version.create"]));
        fixture.base.pass(Duration::from_secs(15 * 60));
        fixture
            .base
            .post(&ben, &upload, json!({}))
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture
            .base
            .post(&ana, &upload, json!({}))
            .expect_problem("conflict");
    }
}
