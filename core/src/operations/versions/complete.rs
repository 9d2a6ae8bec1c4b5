//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/complete`

use alloc::boxed::Box;

use super::VersionView;
use crate::{
    operation::{Method, Parsed, Problem, ProblemKind, Route, UseCase, schema},
    operations::content::complete::{Complete, Input},
    record::Version,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/complete",
    "complete_version",
    "Verifies the uploaded bytes of a version and makes it available",
    parse,
)
.takes(schema::<Input>)
.answers(&[
    (200, Some(schema::<VersionView>)),
    (202, Some(schema::<VersionView>)),
])
.refuses(&[ProblemKind::UploadMismatch]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Complete::<Version>::parse(request)?))
}
