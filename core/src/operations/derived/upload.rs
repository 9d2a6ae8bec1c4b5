//! `POST /v1/projects/{project}/artifacts/{artifact}/derived/{derived}/upload`

use alloc::boxed::Box;

use crate::{
    api::{Method, Parsed, Problem, Route, schema},
    model::Derived,
    operations::content::reissue::{IssuedView, Reissue},
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}/upload",
    "reissue_derived_upload",
    "Issues the upload plan of a derived output again while it waits for its bytes",
    parse,
)
.answers(&[(200, Some(schema::<IssuedView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Reissue::<Derived>::parse(request)?))
}
