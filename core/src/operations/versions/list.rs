//! `GET /v1/projects/{project}/artifacts/{artifact}/versions`

use super::VersionView;
use crate::{
    operation::{Budget, Example, Method, PAGE, Requires, Route, Success, schema, view::ListView},
    operations::content::listing::Listing,
    record::Version,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/versions",
    "list_versions",
    "List the versions of a document",
    |request| Listing::<Version, VersionView>::documents(request, "RAW", Capability::ArtifactView),
)
.describes("Oldest first.")
.requires(Requires::Project(Capability::ArtifactView))
.budget(Budget::LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<VersionView>>,
    Example::Page(super::EXAMPLE),
)]);

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::{Value, json};

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn version_list_is_sorted_by_number_and_paged() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        for _ in 2..=11 {
            fixture.added(&path, b"more");
        }
        let (vera, list) = (fixture.vera.clone(), format!("{path}/versions?limit=10"));
        let first = fixture.base.get(&vera, &list).expect(200);
        assert_eq!(fixture.base.rounds, 2);
        let numbers = first.body["items"].as_array().unwrap().iter();
        assert!(
            numbers
                .map(|item| &item["number"])
                .eq(&(1..=10).map(|n| json!(n)).collect::<alloc::vec::Vec<_>>())
        );
        DocumentFixture::assert_no_internal_fields(&first.body["items"][0]);
        let cursor = first.text("next_cursor");
        let second = fixture
            .base
            .get(&vera, &format!("{list}&cursor={cursor}"))
            .expect(200);
        assert_eq!(second.body["items"][0]["number"], 11);
        assert_eq!(second.body["next_cursor"], Value::Null);
    }

    #[test]
    fn case_21_version_list_holds_one_document() {
        let mut fixture = DocumentFixture::new();
        let (first, second) = (fixture.uploaded(), fixture.uploaded());
        fixture.added(&second, b"more");
        let listed = fixture.shown(&format!("{first}/versions"));
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        let (otto, list) = (fixture.otto.clone(), format!("{first}/versions"));
        fixture.base.get(&otto, &list).expect_problem("not-found");
        assert_eq!(fixture.base.rounds, 1);
    }
}
