//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/download`

use crate::{operation::Route, operations::content::download::Download, record::Version};

pub(super) const ROUTE: Route = Download::<Version>::route(
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/download",
    "download_version",
    "Sign a URL for downloading a version",
);
