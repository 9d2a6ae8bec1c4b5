//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/complete`

use super::VersionView;
use crate::{
    operation::{Budget, Example, Method, ProblemKind, Requires, Route, Success, schema},
    operations::content::complete::{Complete, Input},
    record::Version,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/complete",
    "complete_version",
    "Verify the uploaded bytes of a version and make it available",
    Complete::<Version>::parse,
)
.describes(
    "Compares size and digest with the declaration. Answers 202 if a large object is still \
     being verified; ask for the version again later. Completing an available version changes \
     nothing. Uploads in parts name every part with its ETag.",
)
.requires(Requires::Project(Capability::VersionCreate))
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{}"#)
.answers(&[
    Success::ok(schema::<VersionView>, Example::Text(super::EXAMPLE)),
    Success::accepted(schema::<VersionView>, Example::Text(super::EXAMPLE)),
])
.refuses(&[(
    ProblemKind::UploadMismatch,
    "the bytes are not the declared ones; the version is rejected",
)]);
