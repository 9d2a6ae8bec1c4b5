//! `GET /v1/projects/{project}/artifacts/{artifact}/derived`

use alloc::boxed::Box;

use super::DerivedView;
use crate::{
    api::{Method, PAGE, Parsed, Problem, Route, schema, view::ListView},
    model::Derived,
    operations::content::listing::Listing,
    permission::Capability,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/derived",
    "list_derived",
    "Lists the derived outputs of a document, oldest first",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<DerivedView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let listing =
        Listing::<Derived, _>::documents(request, "DERIVED", Capability::ArtifactView, |record| {
            DerivedView::from(record)
        })?;
    Ok(Box::new(listing))
}
