//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/download`

use crate::{
    operation::{Budget, Example, Method, Requires, Route, Success, plan::DownloadAddress, schema},
    operations::content::download::{DESCRIPTION, Download},
    record::Version,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/download",
    "download_version",
    "Sign a URL for downloading a version",
    Download::<Version>::parse,
)
.describes(DESCRIPTION)
.requires(Requires::Project(Capability::ArtifactDownload))
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<DownloadAddress>,
    Example::Text(DownloadAddress::EXAMPLE),
)]);
