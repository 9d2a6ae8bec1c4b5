//! `GET /v1/projects/{project}/artifacts`

use alloc::boxed::Box;

use super::ArtifactView;
use crate::{
    api::{Method, PAGE, Parsed, Problem, Route, schema, view::ListView},
    model::Artifact,
    operations::content::listing::Listing,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts",
    "list_artifacts",
    "Lists a project's documents, oldest first",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<ArtifactView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let listing = Listing::<Artifact, _>::artifacts(request, |record| ArtifactView::from(record))?;
    Ok(Box::new(listing))
}
