//! `GET /v1/projects/{project}/artifacts/{artifact}/derived/{derived}`

use crate::{operation::Route, operations::content::get::GetContent, record::Derived};

pub(super) const ROUTE: Route = GetContent::<Derived>::route(
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}",
    "get_derived",
    "Show a derived output",
);

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn derived_output_is_found_only_below_its_document() {
        let mut fixture = DocumentFixture::new();
        let (path, other) = (fixture.uploaded(), fixture.uploaded());
        let derived = fixture.derived(&path, b"text", json!({}));
        let (vera, otto) = (fixture.vera.clone(), fixture.otto.clone());
        let answer = fixture.base.get(&vera, &derived).expect(200);
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(answer.body["source_version"], 1);
        DocumentFixture::assert_no_internal_fields(&answer.body);
        fixture
            .base
            .get(&otto, &derived)
            .expect_problem("not-found");
        let foreign_path = format!("{other}/derived/{}", answer.id());
        fixture
            .base
            .get(&vera, &foreign_path)
            .expect_problem("not-found");
    }
}
