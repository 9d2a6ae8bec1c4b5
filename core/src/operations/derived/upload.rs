//! `POST /v1/projects/{project}/artifacts/{artifact}/derived/{derived}/upload`

use crate::{operation::Route, operations::content::reissue::Reissue, record::Derived};

pub(super) const ROUTE: Route = Reissue::<Derived>::route(
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}/upload",
    "reissue_derived_upload",
    "Issue the upload plan of a derived output again",
);

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
