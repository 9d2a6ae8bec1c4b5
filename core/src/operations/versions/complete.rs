//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/complete`

use crate::{operation::Route, operations::content::complete::Complete, record::Version};

pub(super) const ROUTE: Route = Complete::<Version>::route(
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/complete",
    "complete_version",
    "Verify the uploaded bytes of a version and make it available",
)
.describes(
    "Compares size and digest with the declaration. Answers 202 if a large object is still \
     being verified; ask for the version again later. Completing an available version changes \
     nothing. Uploads in parts name every part with its ETag.",
);
