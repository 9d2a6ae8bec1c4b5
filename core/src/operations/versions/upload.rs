//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/upload`

use alloc::boxed::Box;

use crate::{
    operation::{Method, Parsed, Problem, ProblemKind, Route, UseCase, schema},
    operations::content::reissue::{IssuedView, Reissue},
    record::Version,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/upload",
    "reissue_version_upload",
    "Issues the upload plan of a version again while it waits for its bytes",
    parse,
)
.answers(&[(200, Some(schema::<IssuedView>))])
.refuses(&[ProblemKind::UploadMismatch]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Reissue::<Version>::parse(request)?))
}
