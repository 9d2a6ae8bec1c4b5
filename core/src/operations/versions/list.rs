//! `GET /v1/projects/{project}/artifacts/{artifact}/versions`

use alloc::boxed::Box;

use super::VersionView;
use crate::{
    api::{Method, PAGE, Parsed, Problem, Route, schema, view::ListView},
    model::Version,
    operations::content::listing::Listing,
    permission::Capability,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/versions",
    "list_versions",
    "Lists the versions of a document, oldest first",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<VersionView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let listing =
        Listing::<Version, _>::documents(request, "RAW", Capability::ArtifactView, |record| {
            VersionView::from(record)
        })?;
    Ok(Box::new(listing))
}
