//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/download`

use alloc::boxed::Box;

use crate::{
    api::{Method, Parsed, Problem, Route, plan::DownloadAddress, schema},
    model::Version,
    operations::content::download::Download,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/download",
    "download_version",
    "Signs an address for downloading a version",
    parse,
)
.answers(&[(200, Some(schema::<DownloadAddress>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Download::<Version>::parse(request)?))
}
