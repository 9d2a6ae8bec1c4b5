//! `GET /v1/projects/{project}/artifacts/{artifact}/versions/{number}`

use crate::{operation::Route, operations::content::get::GetContent, record::Version};

pub(super) const ROUTE: Route = GetContent::<Version>::route(
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}",
    "get_version",
    "Show a version",
);

#[cfg(test)]
mod tests {
    use alloc::format;

    use crate::testing::document_fixture::{BYTES, DocumentFixture};

    #[test]
    fn version_shows_the_upload_state() {
        let mut fixture = DocumentFixture::new();
        let version = format!("{}/versions/1", fixture.declared(BYTES));
        let vera = fixture.vera.clone();
        let pending = fixture.base.get(&vera, &version).expect(200).body;
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(pending["status"], "pending");
        assert!(pending["upload_expires_at"].is_string());
        fixture.put(&version, BYTES);
        fixture.complete(&version).expect(200);
        let available = fixture.base.get(&vera, &version).expect(200).body;
        assert_eq!(available["status"], "available");
        assert!(available.get("upload_expires_at").is_none());
        DocumentFixture::assert_no_internal_fields(&available);
    }

    #[test]
    fn case_24_version_number_has_one_spelling() {
        let mut fixture = DocumentFixture::new();
        let (ben, otto, path) = (
            fixture.ben.clone(),
            fixture.otto.clone(),
            fixture.uploaded(),
        );
        for number in ["0", "01", "+1", "1%20", "-1", "2", "4294967296", "x"] {
            let version = format!("{path}/versions/{number}");
            fixture.base.get(&ben, &version).expect_problem("not-found");
        }
        let version = format!("{path}/versions/1");
        fixture
            .base
            .get(&otto, &version)
            .expect_problem("not-found");
    }
}
