//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/upload`

use crate::{
    operation::{
        Budget, Example, Method, ProblemKind, Requires, Route, Success, plan::UploadPlan, schema,
    },
    operations::content::reissue::{IssuedView, Reissue},
    record::Version,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/upload",
    "reissue_version_upload",
    "Issue the upload plan of a version again",
    Reissue::<Version>::parse,
)
.describes("For uploads whose signed URLs expired. The plan is valid until the upload expires.")
.requires(Requires::Project(Capability::VersionCreate))
.budget(Budget::WRITE)
.answers(&[Success::ok(
    schema::<IssuedView>,
    Example::Members(&[("upload", Example::Text(UploadPlan::EXAMPLE))]),
)])
.refuses(&[(
    ProblemKind::UploadMismatch,
    "the version was rejected because its bytes were not the declared ones",
)]);
