//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/download`

use alloc::boxed::Box;

use crate::{
    operation::{
        Budget, Example, Method, Parsed, Problem, Requires, Route, Success, UseCase,
        plan::DownloadAddress, schema,
    },
    operations::content::download::Download,
    record::Version,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/download",
    "download_version",
    "Sign a URL for downloading a version",
    parse,
)
.describes(
    "The URL is valid for five minutes and for this object only. The object store serves the \
     bytes as an attachment.",
)
.requires(Requires::Project(Capability::ArtifactDownload))
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<DownloadAddress>,
    Example::Text(DownloadAddress::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Download::<Version>::parse(request)?))
}
