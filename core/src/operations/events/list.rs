//! `GET /v1/projects/{project}/artifacts/{artifact}/events`

use alloc::boxed::Box;

use super::EventView;
use crate::{
    api::{Method, PAGE, Parsed, Problem, Route, schema, view::ListView},
    model::WriteEvent,
    operations::content::listing::Listing,
    permission::Capability,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/events",
    "list_events",
    "Lists the write events of a document, oldest first",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<EventView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let listing =
        Listing::<WriteEvent, _>::documents(request, "EVENT", Capability::EventView, |record| {
            EventView::from(record)
        })?;
    Ok(Box::new(listing))
}
