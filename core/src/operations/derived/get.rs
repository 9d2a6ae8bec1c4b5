//! `GET /v1/projects/{project}/artifacts/{artifact}/derived/{derived}`

use alloc::boxed::Box;

use super::DerivedView;
use crate::{
    api::{Method, Parsed, Problem, Route, schema},
    model::Derived,
    operations::content::get::GetContent,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}",
    "get_derived",
    "Shows a derived output",
    parse,
)
.answers(&[(200, Some(schema::<DerivedView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetContent::<Derived>::parse(request)?))
}
