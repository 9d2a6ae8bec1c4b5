//! `POST …/versions/{number}/complete` and `POST …/derived/{derived}/complete`

use alloc::{string::String, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    FoundArtifact, Place, Stored,
    completion::{self, Completion, Standing, VERIFY_INLINE_LIMIT, standing},
};
use crate::{
    api::{Parsed, Problem},
    context::Context,
    facts::{Ask, Facts, Part},
    model::Record,
    permission::Permit,
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UploadLimits, UseCase},
};

/// Completes an upload on behalf of a caller.
pub(crate) struct Complete<S: Stored> {
    place: Place<S>,
    parts: Option<Vec<Part>>,
}

/// The body.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CompletedUpload")]
pub(crate) struct Input {
    /// The parts sent, all of them, ascending. Only for uploads in parts.
    parts: Option<Vec<PartInput>>,
}

/// A part that was sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UploadedPart")]
struct PartInput {
    /// Its number.
    #[schemars(range(min = 1, max = 320))]
    number: u16,
    /// The `ETag` its PUT was answered with.
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
                "must be the `ETag` the part was answered with",
            ))
        };
        let parts = self.parts.map(|parts| parts.into_iter().enumerate());
        parts.map(|parts| parts.map(read).collect()).transpose()
    }
}

impl<S: Stored> Complete<S> {
    pub(crate) fn parse(request: &Parsed<'_>) -> Result<Self, Problem> {
        let input: Input = if request.request.body.is_empty() {
            Input::default()
        } else {
            request.body()?
        };
        Ok(Self {
            parts: input.parts()?,
            place: Place::of(request)?,
        })
    }

    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, FoundArtifact, Record<S>), Problem> {
        let (found, record) = self.place.find(context, facts)?;
        Ok((found.permit(S::CREATE)?, found, record))
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

    /// What the object store is asked; `None` when the answer stands already.
    fn evidence(&self, record: &Record<S>, context: &Context<'_>) -> Result<Option<Ask>, Problem> {
        let content = record.body.content();
        if standing(content, context.env.now)? != Standing::Awaited {
            return Ok(None);
        }
        self.question(record, context.surface.upload).map(Some)
    }

    fn question(&self, record: &Record<S>, limits: UploadLimits) -> Result<Ask, Problem> {
        let path = S::object_path(record);
        let content = record.body.content();
        if !limits.in_parts(content.size) {
            let hash = content.size.bytes() <= VERIFY_INLINE_LIMIT;
            return match &self.parts {
                None => Ok(Ask::Stat { path, hash }),
                Some(_) => Err(Problem::field(
                    "parts",
                    "must be left out: this upload is a single request",
                )),
            };
        }
        let every = 1..=limits.part_count(content.size);
        let parts = self.parts.clone().unwrap_or_default();
        if !parts.iter().map(|part| part.number).eq(every) {
            return Err(Problem::field(
                "parts",
                "must be every part of the upload plan, ascending",
            ));
        }
        let upload_id = content.upload_id.clone().ok_or_else(|| {
            Problem::conflict("the upload in parts was not begun: ask for its plan again")
        })?;
        Ok(Ask::Assemble {
            path,
            upload_id,
            parts,
        })
    }
}

impl<S: Stored> UseCase for Complete<S> {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let mut asks = self.place.asks(context.user());
        if facts.has_all(&asks) {
            let (_, _, record) = self.authorise(context, facts)?;
            if let Some(evidence) = self.evidence(&record, context)? {
                asks.extend(self.completion(context, facts, &record).asks(evidence)?);
            }
        }
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found, record) = self.authorise(context, facts)?;
        let Some(evidence) = self.evidence(&record, context)? else {
            return Ok(Outcome::Reply(completion::reply(&record)));
        };
        let commit = found.commit(context, permit);
        self.completion(context, facts, &record)
            .conclude(commit, &found.artifact, &evidence)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.below.scope())
    }

    /// Completing is idempotent by itself: the answer is where the upload stands now.
    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        let (_, _, record) = self.authorise(context, facts)?;
        Ok(completion::reply(&record))
    }
}
