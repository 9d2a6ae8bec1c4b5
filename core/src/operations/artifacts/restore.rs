//! `POST /v1/projects/{project}/artifacts/{artifact}/restore`

use alloc::{boxed::Box, vec::Vec};

use super::ArtifactView;
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema, view},
    context::Context,
    facts::{Ask, Facts},
    model::{Artifact, EventType, Record},
    operations::content::{ArtifactPlace, FoundArtifact},
    permission::{Capability, Permit},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
};

/// Brings a deleted artifact back; one that is not deleted stays as it is.
struct RestoreArtifact {
    place: ArtifactPlace,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/restore",
    "restore_artifact",
    "Brings a deleted document back",
    parse,
)
.answers(&[(200, Some(schema::<ArtifactView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(RestoreArtifact {
        place: ArtifactPlace::of(request)?,
    }))
}

impl RestoreArtifact {
    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, FoundArtifact), Problem> {
        let found = self.place.find_any(context, facts)?;
        match found.permit(Capability::ArtifactDelete) {
            // A deleted artifact exists for those only who may bring it back.
            Err(problem) if found.artifact.deleted && problem.kind == ProblemKind::Forbidden => {
                Err(Problem::not_found())
            }
            permit => Ok((permit?, found)),
        }
    }
}

fn reply(artifact: &Record<Artifact>) -> Reply {
    view::shown(artifact, &ArtifactView::from(artifact))
}

impl UseCase for RestoreArtifact {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found) = self.authorise(context, facts)?;
        let before = &found.artifact;
        if !before.deleted {
            return Ok(Outcome::Reply(reply(before)));
        }
        let mut commit = found.commit(context, permit);
        let artifact = commit.update(before, before.body.clone());
        commit.finish(EventType::ArtifactRestored, reply(&artifact))
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
