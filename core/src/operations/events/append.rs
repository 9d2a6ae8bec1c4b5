//! `POST /v1/projects/{project}/artifacts/{artifact}/events`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::EventView;
use crate::{
    api::{Method, Parsed, Problem, Route, schema, view},
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Record, WriteEvent},
    operations::content::{ArtifactPlace, FoundArtifact},
    permission::{Capability, Permit},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
    value::{Kind, Text},
};

/// Appends a write event, authored by the caller.
struct AppendEvent {
    place: ArtifactPlace,
    input: Input,
}

/// The body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewWriteEvent")]
struct Input {
    kind: Kind,
    text: Text,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/events",
    "append_event",
    "Appends a write event to a document",
    parse,
)
.takes(schema::<Input>)
.answers(&[(201, Some(schema::<EventView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(AppendEvent {
        input: request.body()?,
        place: ArtifactPlace::of(request)?,
    }))
}

impl AppendEvent {
    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, FoundArtifact), Problem> {
        let found = self.place.find(context, facts)?;
        Ok((found.permit(Capability::EventAppend)?, found))
    }
}

fn reply(event: &Record<WriteEvent>) -> Reply {
    view::created(event, &EventView::from(event))
}

impl UseCase for AppendEvent {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found) = self.authorise(context, facts)?;
        let mut commit = found.commit(context, permit);
        let event = WriteEvent {
            project_id: self.place.project,
            artifact_id: self.place.artifact,
            at: commit.at(),
            kind: self.input.kind.clone(),
            text: self.input.text.clone(),
        };
        let event = commit.create(context.env.id("event"), event);
        commit.finish(EventType::EventAppended, reply(&event))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.scope())
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        self.authorise(context, facts)?;
        Ok(reply(&view::replayed(facts, records, 0)?))
    }
}
