//! `PATCH /v1/projects/{project}/artifacts/{artifact}`

use alloc::{boxed::Box, collections::BTreeMap, format, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::ArtifactView;
use crate::{
    api::{IfMatch, Method, Parsed, Precondition, Problem, Route, schema, view},
    context::Context,
    facts::{Ask, Facts},
    model::{Artifact, EventType},
    operations::content::ArtifactPlace,
    permission::Capability,
    storage::Scope,
    use_case::{Outcome, UseCase},
    value::{FileName, Label},
};

/// Renames or labels an artifact.
struct UpdateArtifact {
    place: ArtifactPlace,
    input: Input,
    if_match: IfMatch,
}

/// The body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ArtifactChange")]
struct Input {
    name: Option<FileName>,
    /// All labels from now on, at most 50.
    labels: Option<BTreeMap<Label, Label>>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/projects/{project}/artifacts/{artifact}",
    "update_artifact",
    "Renames or labels a document",
    parse,
)
.takes(schema::<Input>)
.precondition(Precondition::Required)
.answers(&[(200, Some(schema::<ArtifactView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input: Input = request.body()?;
    let labels = input.labels.as_ref().map_or(0, BTreeMap::len);
    if labels > Artifact::LABELS {
        let most = Artifact::LABELS;
        return Err(Problem::field("labels", format!("must be at most {most}")));
    }
    Ok(Box::new(UpdateArtifact {
        input,
        if_match: request.if_match()?,
        place: ArtifactPlace::of(request)?,
    }))
}

impl Input {
    fn applied_to(&self, artifact: &Artifact) -> Artifact {
        let mut artifact = artifact.clone();
        if let Some(name) = &self.name {
            artifact.name.clone_from(name);
        }
        if let Some(labels) = &self.labels {
            artifact.labels.clone_from(labels);
        }
        artifact
    }
}

impl UseCase for UpdateArtifact {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let found = self.place.find(context, facts)?;
        let before = &found.artifact;
        let current = self.if_match.require(&before.etag());
        let permit = found.permit_if(Capability::ArtifactEdit, current)?;
        let changed = self.input.applied_to(&before.body);
        if changed == before.body {
            let view = ArtifactView::from(before);
            return Ok(Outcome::Reply(view::shown(before, &view)));
        }
        let mut commit = found.commit(context, permit);
        let artifact = commit.update(before, changed);
        let reply = view::shown(&artifact, &ArtifactView::from(&artifact));
        commit.finish(EventType::ArtifactUpdated, reply)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.scope())
    }
}
