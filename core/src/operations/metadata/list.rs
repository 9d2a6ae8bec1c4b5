//! `GET /v1/projects/{project}/artifacts/{artifact}/metadata`

use alloc::boxed::Box;

use super::MetadataView;
use crate::{
    api::{Method, PAGE, Parsed, Problem, Route, schema, view::ListView},
    model::Metadata,
    operations::content::listing::Listing,
    permission::Capability,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/metadata",
    "list_metadata",
    "Lists the metadata records of a document, oldest first",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<MetadataView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let listing =
        Listing::<Metadata, _>::documents(request, "META", Capability::MetadataView, |record| {
            MetadataView::from(record)
        })?;
    Ok(Box::new(listing))
}
