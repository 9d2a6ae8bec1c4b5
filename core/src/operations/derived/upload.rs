//! `POST /v1/projects/{project}/artifacts/{artifact}/derived/{derived}/upload`

use crate::{
    operation::{
        Budget, Example, Method, ProblemKind, Requires, Route, Success, plan::UploadPlan, schema,
    },
    operations::content::reissue::{IssuedView, Reissue},
    record::Derived,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}/upload",
    "reissue_derived_upload",
    "Issue the upload plan of a derived output again",
    Reissue::<Derived>::parse,
)
.describes("For uploads whose signed URLs expired. The plan is valid until the upload expires.")
.requires(Requires::Project(Capability::DerivedCreate))
.budget(Budget::WRITE)
.answers(&[Success::ok(
    schema::<IssuedView>,
    Example::Members(&[("upload", Example::Text(UploadPlan::EXAMPLE))]),
)])
.refuses(&[(
    ProblemKind::UploadMismatch,
    "the output was rejected because its bytes were not the declared ones",
)]);

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn derived_output_plan_is_issued_again() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let derived = fixture.derived(&path, b"text", json!({}));
        let (ben, vera, upload) = (
            fixture.ben.clone(),
            fixture.vera.clone(),
            format!("{derived}/upload"),
        );
        fixture
            .base
            .post(&ben, &upload, json!({}))
            .expect(200)
            .upload();
        assert_eq!(fixture.events().last().unwrap(), "derived.reissued");
        let refused = fixture
            .base
            .post(&vera, &upload, json!({}))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["derived.create"]));
    }
}
