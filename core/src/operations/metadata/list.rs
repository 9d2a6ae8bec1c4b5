//! `GET /v1/projects/{project}/artifacts/{artifact}/metadata`

use super::MetadataView;
use crate::{
    operation::{Budget, Example, Method, PAGE, Requires, Route, Success, schema, view::ListView},
    operations::content::listing::Listing,
    record::Metadata,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/metadata",
    "list_metadata",
    "List the metadata records of a document",
    |request| {
        Listing::<Metadata, MetadataView>::documents(request, "META", Capability::MetadataView)
    },
)
.describes("Oldest first.")
.requires(Requires::Project(Capability::MetadataView))
.budget(Budget::LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<MetadataView>>,
    Example::Page(super::EXAMPLE),
)]);

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn metadata_list_keeps_the_order_of_appends() {
        let mut fixture = DocumentFixture::new();
        let path = format!("{}/metadata", fixture.uploaded());
        let (ben, vera, otto) = (
            fixture.ben.clone(),
            fixture.vera.clone(),
            fixture.otto.clone(),
        );
        for n in 0..3 {
            fixture.base.pass(Duration::from_millis(1));
            let body = json!({ "values": { "n": n } });
            fixture.base.post(&ben, &path, body).expect(201);
        }
        let first = fixture
            .base
            .get(&vera, &format!("{path}?limit=2"))
            .expect(200);
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(first.body["items"][1]["values"]["n"], 1);
        let rest = format!("{path}?limit=2&cursor={}", first.text("next_cursor"));
        let second = fixture.base.get(&vera, &rest).expect(200).body;
        assert_eq!(second["items"][0]["values"]["n"], 2);
        assert_eq!(second["next_cursor"], Value::Null);
        fixture.base.get(&otto, &path).expect_problem("not-found");
    }
}
