//! `GET /v1/projects/{project}/artifacts/{artifact}/versions/{number}`

use alloc::boxed::Box;

use super::VersionView;
use crate::{
    api::{Method, Parsed, Problem, Route, schema},
    model::Version,
    operations::content::get::GetContent,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}",
    "get_version",
    "Shows a version",
    parse,
)
.answers(&[(200, Some(schema::<VersionView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetContent::<Version>::parse(request)?))
}
