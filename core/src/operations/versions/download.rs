//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/download`

use alloc::boxed::Box;

use crate::{
    operation::{Method, Parsed, Problem, Route, UseCase, plan::DownloadAddress, schema},
    operations::content::download::Download,
    record::Version,
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
