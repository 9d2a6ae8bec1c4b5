//! `POST /v1/projects/{project}/artifacts/{artifact}/derived/{derived}/complete`

use alloc::boxed::Box;

use super::DerivedView;
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema},
    model::Derived,
    operations::content::complete::{Complete, Input},
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}/complete",
    "complete_derived",
    "Verifies the uploaded bytes of a derived output and makes it available",
    parse,
)
.takes(schema::<Input>)
.answers(&[
    (200, Some(schema::<DerivedView>)),
    (202, Some(schema::<DerivedView>)),
])
.refuses(&[ProblemKind::UploadMismatch]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Complete::<Derived>::parse(request)?))
}
