//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/upload`

use alloc::boxed::Box;

use crate::{
    operation::{
        Budget, Example, Method, Parsed, Problem, ProblemKind, Requires, Route, Success, UseCase,
        plan::UploadPlan, schema,
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
    parse,
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

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Reissue::<Version>::parse(request)?))
}
