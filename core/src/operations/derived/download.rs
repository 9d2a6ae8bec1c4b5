//! `POST /v1/projects/{project}/artifacts/{artifact}/derived/{derived}/download`

use crate::{operation::Route, operations::content::download::Download, record::Derived};

pub(super) const ROUTE: Route = Download::<Derived>::route(
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}/download",
    "download_derived",
    "Sign a URL for downloading a derived output",
);

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use serde_json::json;

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn derived_output_can_be_downloaded_once_available() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let derived = fixture.derived(&path, b"text", json!({}));
        let (vera, otto) = (fixture.vera.clone(), fixture.otto.clone());
        let download = format!("{derived}/download");
        fixture
            .base
            .post(&vera, &download, json!({}))
            .expect_problem("conflict");
        fixture.put(&derived, b"text");
        fixture.complete(&derived).expect(200);
        let answer = fixture.base.post(&vera, &download, json!({})).expect(200);
        assert_eq!(
            answer.download().path().to_string(),
            fixture.object_path(&derived)
        );
        fixture
            .base
            .post(&otto, &download, json!({}))
            .expect_problem("not-found");
    }
}
