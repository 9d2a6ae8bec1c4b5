//! `GET /v1/projects/{project}/artifacts/{artifact}`

use alloc::{boxed::Box, vec::Vec};

use super::ArtifactView;
use crate::{
    api::{Method, Parsed, Problem, Route, schema, view},
    context::Context,
    facts::{Ask, Facts},
    operations::content::ArtifactPlace,
    use_case::{Outcome, UseCase},
};

/// Shows an artifact.
struct GetArtifact {
    place: ArtifactPlace,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}",
    "get_artifact",
    "Shows a document",
    parse,
)
.answers(&[(200, Some(schema::<ArtifactView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetArtifact {
        place: ArtifactPlace::of(request)?,
    }))
}

impl UseCase for GetArtifact {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let artifact = self.place.find(context, facts)?.artifact;
        let view = ArtifactView::from(&artifact);
        Ok(Outcome::Reply(view::shown(&artifact, &view)))
    }
}
