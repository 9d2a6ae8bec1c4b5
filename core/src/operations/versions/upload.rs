//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/upload`

use crate::{operation::Route, operations::content::reissue::Reissue, record::Version};

pub(super) const ROUTE: Route = Reissue::<Version>::route(
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/upload",
    "reissue_version_upload",
    "Issue the upload plan of a version again",
);
