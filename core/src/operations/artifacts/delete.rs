//! `DELETE /v1/projects/{project}/artifacts/{artifact}`

use alloc::{boxed::Box, vec::Vec};

use crate::{
    api::{IfMatch, Method, Parsed, Precondition, Problem, Route},
    context::Context,
    facts::{Ask, Facts},
    model::EventType,
    operations::content::ArtifactPlace,
    permission::Capability,
    storage::Scope,
    use_case::{Outcome, Reply, UseCase},
};

/// Deletes an artifact. Everything that hangs on it stays as it is, and out of sight.
struct DeleteArtifact {
    place: ArtifactPlace,
    if_match: IfMatch,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/projects/{project}/artifacts/{artifact}",
    "delete_artifact",
    "Deletes a document, with everything that hangs on it, until it is restored",
    parse,
)
.precondition(Precondition::Optional)
.answers(&[(204, None)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(DeleteArtifact {
        if_match: request.if_match()?,
        place: ArtifactPlace::of(request)?,
    }))
}

impl UseCase for DeleteArtifact {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let found = self.place.find(context, facts)?;
        let current = self.if_match.honour(Some(&found.artifact.etag()));
        let permit = found.permit_if(Capability::ArtifactDelete, current)?;
        let mut commit = found.commit(context, permit);
        commit.delete(&found.artifact);
        commit.finish(EventType::ArtifactDeleted, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.scope())
    }
}
