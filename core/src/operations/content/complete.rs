//! `POST …/versions/{number}/complete` and `POST …/derived/{derived}/complete`

use alloc::{boxed::Box, string::String, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::shown::{Shown, reply};
use crate::{
    operation::{
        ARCHIVED, Assembly, Budget, Context, Example, Facts, Method, Outcome, Parsed, Part,
        Problem, ProblemKind, ReadRequest, Reply, Requires, Route, Success, UseCase,
        content::{
            ContentRef,
            completion::{Evidence, UploadState, VERIFY_INLINE_LIMIT, upload_state},
        },
        schema,
    },
    record::{Content, Record},
    storage::{Key, Scope, UploadLimits},
};

pub(crate) struct Complete<S: Shown> {
    target: ContentRef<S>,
    parts: Option<Vec<Part>>,
}

/// A completed upload.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CompletedUpload")]
struct Input {
    /// All parts in ascending order, for uploads in parts only.
    parts: Option<Vec<PartInput>>,
}

/// A part that was sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UploadedPart")]
struct PartInput {
    /// The number of the part, from 1.
    #[schemars(range(min = 1))]
    number: u16,
    /// The `ETag` of the answer to its PUT, or `none` if the answer had none.
    #[schemars(length(min = 1, max = 256))]
    etag: String,
}

impl Input {
    fn parts(self) -> Result<Option<Vec<Part>>, Problem> {
        let read = |(position, part): (usize, PartInput)| {
            let PartInput { number, etag } = part;
            let printable = etag.bytes().all(|byte| byte.is_ascii_graphic());
            if printable && (1..=256).contains(&etag.len()) {
                return Ok(Part { number, etag });
            }
            Err(Problem::field(
                alloc::format!("parts[{position}].etag"),
                "must be the `ETag` in the answer to the part, or `none` if that answer had none",
            ))
        };
        let parts = self.parts.map(|parts| parts.into_iter().enumerate());
        parts.map(|parts| parts.map(read).collect()).transpose()
    }
}

const REFUSALS: &[(ProblemKind, &str)] = &[
    ARCHIVED,
    (ProblemKind::Conflict, "the bytes have not arrived yet"),
    (
        ProblemKind::Conflict,
        "the upload was not completed in time",
    ),
    (
        ProblemKind::Conflict,
        "the person who declared the upload may no longer upload to the project",
    ),
    (ProblemKind::Conflict, "the upload in parts was not started"),
    (
        ProblemKind::UploadMismatch,
        "the bytes are not the declared ones; the upload is rejected",
    ),
];

impl<S: Shown> Complete<S> {
    const ANSWERS: &'static [Success] = &[
        Success::ok(schema::<S::View>, Example::Text(S::EXAMPLE)),
        Success::accepted(schema::<S::View>, Example::Text(S::EXAMPLE)),
    ];

    /// The route for records of this family.
    pub(crate) const fn route(
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
    ) -> Route {
        Route::new(Method::Post, path, operation, summary, Self::parse)
            .requires(Requires::Project(S::CREATE))
            .budget(Budget::WRITE)
            .takes(schema::<Input>, r#"{}"#)
            .answers(Self::ANSWERS)
            .refuses(REFUSALS)
    }

    fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
        let input: Input = if request.body.is_empty() {
            Input::default()
        } else {
            request.body()?
        };
        Ok(Box::new(Self {
            parts: input.parts()?,
            target: ContentRef::of(request)?,
        }))
    }

    /// The source of evidence for the object. `None` if the upload is no longer awaited and its
    /// state is the answer.
    fn evidence(
        &self,
        record: &Record<S>,
        context: &Context<'_>,
    ) -> Result<Option<Evidence>, Problem> {
        let content = record.body.content();
        if upload_state(content, context.env.now)? != UploadState::Awaited {
            return Ok(None);
        }
        let limits = context.surface.upload;
        if limits.in_parts(content.size) {
            self.parts_sent(content, limits).map(Some)
        } else {
            self.single_object(record).map(Some)
        }
    }

    fn single_object(&self, record: &Record<S>) -> Result<Evidence, Problem> {
        if self.parts.is_some() {
            return Err(Problem::field(
                "parts",
                "must be left out, because this upload is a single request",
            ));
        }
        Ok(Evidence::Object(ReadRequest::Stat {
            path: S::object_path(record),
            hash: record.body.content().size.bytes() <= VERIFY_INLINE_LIMIT,
        }))
    }

    fn parts_sent(&self, content: &Content, limits: UploadLimits) -> Result<Evidence, Problem> {
        let every = 1..=limits.part_count(content.size);
        let parts = self.parts.clone().unwrap_or_default();
        if !parts.iter().map(|part| part.number).eq(every) {
            return Err(Problem::field(
                "parts",
                "must name every part of the upload plan, in ascending order",
            ));
        }
        let upload_id = content.upload_id.clone().ok_or_else(|| {
            Problem::conflict("the upload in parts was not started; request its upload plan again")
        })?;
        Ok(Evidence::Parts { upload_id, parts })
    }
}

impl<S: Shown> UseCase for Complete<S> {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut reads = self.target.reads(context.user());
        if facts.has_all(&reads) {
            let (_, _, record) = self.target.authorise(context, facts, S::CREATE)?;
            if let Some(evidence) = self.evidence(&record, context)? {
                let completion = self.target.completion(context, facts, &record);
                reads.extend(completion.reads(evidence)?);
            }
        }
        Ok(reads)
    }

    fn assembly(&self, context: &Context<'_>, facts: &Facts) -> Result<Option<Assembly>, Problem> {
        let (permit, _, record) = self.target.authorise(context, facts, S::CREATE)?;
        let Some(Evidence::Parts { upload_id, parts }) = self.evidence(&record, context)? else {
            return Ok(None);
        };
        let completion = self.target.completion(context, facts, &record);
        completion.check_uploader()?;
        Assembly::new(permit, S::object_path(&record), upload_id, parts).map(Some)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found, record) = self.target.authorise(context, facts, S::CREATE)?;
        let Some(evidence) = self.evidence(&record, context)? else {
            return reply(&record).map(Outcome::Reply);
        };
        let mut commit = found.commit(context, permit)?;
        let completion = self.target.completion(context, facts, &record);
        let (record, event) = completion.examine(&mut commit, &found.artifact, &evidence)?;
        match reply(&record) {
            Ok(reply) => commit.finish(event, reply),
            Err(mismatch) => commit.reject(event, mismatch, &[record.key()]),
        }
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.document.scope())
    }

    /// Completing is idempotent, so a repetition answers the present state of the upload.
    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        let (_, _, record) = self.target.authorise(context, facts, S::CREATE)?;
        reply(&record)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::time::Duration;

    use serde_json::{Value, json};

    use crate::{
        operation::Stat,
        testing::document_fixture::{BYTES, DocumentFixture, LARGE, parts},
        value::Sha256,
    };

    #[test]
    fn completed_version_becomes_available_and_current() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.declared(BYTES);
        let version = format!("{path}/versions/1");
        fixture.put(&version, BYTES);
        let answer = fixture.complete(&version).expect(200);
        // Permissions are checked in the first round. The object store is read in the second, so
        // never for a caller without permission.
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(answer.body["status"], "available");
        assert_eq!(fixture.shown(&path)["current"]["number"], 1);
        assert_eq!(fixture.events().last().unwrap(), "version.available");
        let stored = fixture.base.dump();
        let again = fixture.complete(&version).expect(200);
        assert_eq!(again.body, answer.body);
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(fixture.base.dump(), stored);
    }

    #[test]
    fn completion_before_the_upload_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        let before = fixture.base.dump();
        fixture.complete(&version).expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
        fixture.put(&version, BYTES);
        fixture.complete(&version).expect(200);
    }

    #[test]
    fn case_48_and_44_other_bytes_are_rejected_and_never_served() {
        for other in [
            b"Dear reader!".as_slice(),
            b"Dear",
            b"",
            b"Dear reader, and more",
        ] {
            let mut fixture = DocumentFixture::new();
            let path = fixture.declared(BYTES);
            let version = format!("{path}/versions/1");
            fixture.put(&version, other);
            fixture
                .complete(&version)
                .expect_problem("upload-mismatch")
                .expect(409);
            assert_eq!(fixture.events().last().unwrap(), "version.rejected");
            assert_eq!(fixture.shown(&version)["status"], "rejected");
            assert_eq!(fixture.shown(&path)["current"], Value::Null);
            let stored = fixture.base.dump();
            fixture.put(&version, BYTES);
            fixture.complete(&version).expect_problem("upload-mismatch");
            let ben = fixture.ben.clone();
            for action in ["download", "upload", "restore"] {
                let path = format!("{version}/{action}");
                fixture.base.post(&ben, &path, json!({})).expect(409);
            }
            assert_eq!(fixture.base.dump(), stored);
        }
    }

    #[test]
    fn newest_available_version_is_current_in_any_order() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.declared(BYTES);
        let (first, second) = (
            format!("{path}/versions/1"),
            fixture.added(&path, b"second"),
        );
        fixture.put(&second, b"second");
        fixture.complete(&second).expect(200);
        fixture.put(&first, BYTES);
        fixture.complete(&first).expect(200);
        assert_eq!(fixture.shown(&path)["current"]["number"], 2);
        assert_eq!(fixture.shown(&first)["status"], "available");
    }

    #[test]
    fn case_47_upload_past_its_expiry_cannot_complete() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        fixture.base.pass(Duration::from_secs(15 * 60));
        let before = fixture.base.dump();
        fixture.complete(&version).expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn completion_requires_a_permitted_uploader() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        let (ben, bea) = (fixture.ben.clone(), fixture.bea.clone());
        fixture.remove(&ben);
        let before = fixture.base.dump();
        let complete = format!("{version}/complete");
        fixture
            .base
            .post(&ben, &complete, json!({}))
            .expect_problem("not-found");
        fixture
            .base
            .post(&bea, &complete, json!({}))
            .expect_problem("conflict");
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn completion_is_refused_if_the_uploader_is_only_a_viewer() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        let (ben, bea) = (fixture.ben.clone(), fixture.bea.clone());
        fixture.demote(&ben);
        let before = fixture.base.dump();
        fixture.complete(&version).expect_problem("forbidden");
        let complete = format!("{version}/complete");
        fixture
            .base
            .post(&bea, &complete, json!({}))
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn completion_by_another_caller_succeeds() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        let (ben, bea) = (fixture.ben.clone(), fixture.bea.clone());
        let complete = format!("{version}/complete");
        let answer = fixture.base.post(&bea, &complete, json!({})).expect(200);
        assert_eq!(fixture.base.rounds, 3);
        assert_eq!(answer.body["uploaded_by"], ben.id());
        assert_eq!(answer.body["updated_by"], bea.id());
    }

    #[test]
    fn refused_completion_does_not_read_the_object_store() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        fixture.put(&version, BYTES);
        let (ana, vera, otto) = (
            fixture.ana.clone(),
            fixture.vera.clone(),
            fixture.otto.clone(),
        );
        let complete = format!("{version}/complete");
        let before = fixture.base.dump();
        fixture
            .base
            .post(&otto, &complete, json!({}))
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&vera, &complete, json!({}))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["version.create"]));
        assert_eq!(fixture.base.rounds, 1);
        let sized = json!({ "size": 3 });
        assert_eq!(fixture.base.post(&ana, &complete, sized).field(), "size");
        let parts = json!({ "parts": [{ "number": 1, "etag": "\"a\"" }] });
        assert_eq!(fixture.base.post(&ana, &complete, parts).field(), "parts");
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture.complete(&version).expect_problem("conflict");
        assert_eq!(fixture.base.rounds, 1);
    }

    #[test]
    fn parts_without_known_digest_are_verified_later() {
        let mut fixture = DocumentFixture::new();
        let version = fixture.large();
        let ben = fixture.ben.clone();
        let complete = format!("{version}/complete");
        let before = fixture.base.dump();
        for body in [
            json!({}),
            parts([]),
            parts(1..=6),
            parts([1, 2, 4, 3, 5, 6, 7]),
            parts(1..=8),
        ] {
            assert_eq!(fixture.base.post(&ben, &complete, body).field(), "parts");
        }
        let mut unprintable = parts(1..=7);
        unprintable["parts"][1]["etag"] = json!("a b");
        let answer = fixture.base.post(&ben, &complete, unprintable);
        assert_eq!(answer.field(), "parts[1].etag");
        fixture
            .base
            .post(&ben, &complete, parts(1..=7))
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
        fixture.put_large(&version, None);
        let answer = fixture.base.post(&ben, &complete, parts(1..=7)).expect(202);
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(answer.body["status"], "verifying");
        assert_eq!(fixture.events().last().unwrap(), "version.verifying");
        let stored = fixture.base.dump();
        fixture.base.post(&ben, &complete, parts(1..=7)).expect(202);
        fixture.base.post(&ben, &complete, json!({})).expect(202);
        assert_eq!(fixture.base.dump(), stored);
        let download = format!("{version}/download");
        fixture
            .base
            .post(&ben, &download, json!({}))
            .expect_problem("conflict");
    }

    #[test]
    fn parts_of_wrong_total_size_are_rejected_without_a_read() {
        let mut fixture = DocumentFixture::new();
        let version = fixture.large();
        fixture.put_stat(
            &version,
            Stat {
                size: LARGE - 1,
                sha256: None,
                version: None,
            },
        );
        let (ben, complete) = (fixture.ben.clone(), format!("{version}/complete"));
        fixture
            .base
            .post(&ben, &complete, parts(1..=7))
            .expect_problem("upload-mismatch");
        assert_eq!(fixture.shown(&version)["status"], "rejected");
    }

    #[test]
    fn parts_with_known_digest_are_available_at_once() {
        let mut fixture = DocumentFixture::new();
        let version = fixture.large();
        fixture.put_large(&version, Some(Sha256::of(BYTES)));
        let (ben, complete) = (fixture.ben.clone(), format!("{version}/complete"));
        fixture.base.post(&ben, &complete, parts(1..=7)).expect(200);
    }

    #[test]
    fn completion_repeated_answers_the_upload_state() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        let (ben, complete) = (fixture.ben.clone(), format!("{version}/complete"));
        let key = [("idempotency-key", "done")];
        fixture.put(&version, b"something el");
        for _ in 0..2 {
            fixture
                .base
                .send(&ben, "POST", &complete, &key, Some(json!({})))
                .expect_problem("upload-mismatch");
        }
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        let complete = format!("{version}/complete");
        fixture.put(&version, BYTES);
        for _ in 0..2 {
            fixture
                .base
                .send(&ben, "POST", &complete, &key, Some(json!({})))
                .expect(200);
        }
    }
}
