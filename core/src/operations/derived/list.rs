//! `GET /v1/projects/{project}/artifacts/{artifact}/derived`

use super::DerivedView;
use crate::{
    operation::{Budget, Example, Method, PAGE, Requires, Route, Success, schema, view::ListView},
    operations::content::listing::Listing,
    record::Derived,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/derived",
    "list_derived",
    "List the derived outputs of a document",
    |request| {
        Listing::<Derived, DerivedView>::documents(request, "DERIVED", Capability::ArtifactView)
    },
)
.describes("Oldest first.")
.requires(Requires::Project(Capability::ArtifactView))
.budget(Budget::LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<DerivedView>>,
    Example::Page(super::EXAMPLE),
)]);

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn derived_list_shows_outputs_of_one_document() {
        let mut fixture = DocumentFixture::new();
        let (path, other) = (fixture.uploaded(), fixture.uploaded());
        fixture.derived(&path, b"text", json!({}));
        fixture.base.pass(core::time::Duration::from_secs(1));
        fixture.derived(&path, b"more", json!({ "kind": "thumbnail" }));
        fixture.derived(&other, b"text", json!({}));
        let (vera, otto, list) = (
            fixture.vera.clone(),
            fixture.otto.clone(),
            format!("{path}/derived"),
        );
        let listed = fixture.base.get(&vera, &list).expect(200).body;
        assert_eq!(fixture.base.rounds, 2);
        let items = listed["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0]["kind"], "text");
        assert_eq!(items[1]["kind"], "thumbnail");
        fixture.base.get(&otto, &list).expect_problem("not-found");
    }
}
