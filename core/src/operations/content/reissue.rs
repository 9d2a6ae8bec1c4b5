//! `POST …/versions/{number}/upload` and `POST …/derived/{derived}/upload`

use alloc::{vec, vec::Vec};

use schemars::JsonSchema;
use serde_json::json;

use super::{
    FoundArtifact, Place, Stored,
    completion::{Standing, standing},
    declaration::{plan, upload_end},
};
use crate::{
    api::{Parsed, Problem, plan::UploadPlan},
    context::Context,
    facts::{Ask, Facts},
    model::{Content, Record},
    permission::Permit,
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
};

/// Issues an upload plan again, with a new end.
pub(crate) struct Reissue<S: Stored> {
    place: Place<S>,
}

/// The answer; the surface puts the plan in.
#[derive(JsonSchema)]
#[schemars(rename = "IssuedUpload")]
#[expect(
    dead_code,
    reason = "the schema of what is answered once the plan is signed"
)]
pub(crate) struct IssuedView {
    upload: UploadPlan,
}

impl<S: Stored> Reissue<S> {
    pub(crate) fn parse(request: &Parsed<'_>) -> Result<Self, Problem> {
        request.no_body()?;
        Ok(Self {
            place: Place::of(request)?,
        })
    }

    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, FoundArtifact, Record<S>), Problem> {
        let (found, record) = self.place.find(context, facts)?;
        let permit = found.permit(S::CREATE)?;
        if standing(record.body.content(), context.env.now)? == Standing::Awaited {
            return Ok((permit, found, record));
        }
        Err(Problem::conflict(
            "the bytes are there already: no upload plan is needed",
        ))
    }
}

fn reply<S: Stored>(context: &Context<'_>, permit: Permit, record: &Record<S>) -> Reply {
    Reply {
        records: vec![record.key()],
        sign: plan(context, permit, record),
        ..Reply::ok(json!({}))
    }
}

impl<S: Stored> UseCase for Reissue<S> {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found, record) = self.authorise(context, facts)?;
        let mut commit = found.commit(context, permit.clone());
        let before = record.body.content();
        let content = Content {
            upload_expires_at: upload_end(before.size, context),
            ..before.clone()
        };
        let record = commit.update(&record, record.body.with_content(content));
        commit.finish(S::EVENTS.reissued, reply(context, permit, &record))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.below.scope())
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        let (permit, _, record) = self.authorise(context, facts)?;
        Ok(reply(context, permit, &record))
    }
}
