//! `GET /v1/projects/{project}/artifacts/{artifact}/events`

use super::EventView;
use crate::{
    operation::{Budget, Example, Method, PAGE, Requires, Route, Success, schema, view::ListView},
    operations::content::listing::Listing,
    record::WriteEvent,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/events",
    "list_events",
    "List the write events of a document",
    |request| Listing::<WriteEvent, EventView>::documents(request, "EVENT", Capability::EventView),
)
.describes("Oldest first.")
.requires(Requires::Project(Capability::EventView))
.budget(Budget::LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<EventView>>,
    Example::Page(super::EXAMPLE),
)]);

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn event_list_shows_viewers_one_documents_events() {
        let mut fixture = DocumentFixture::new();
        let (path, other) = (fixture.uploaded(), fixture.uploaded());
        let (cleo, vera, otto) = (
            fixture.cleo.clone(),
            fixture.vera.clone(),
            fixture.otto.clone(),
        );
        for path in [&path, &other] {
            let body = json!({ "kind": "note", "text": path });
            fixture
                .base
                .post(&cleo, &format!("{path}/events"), body)
                .expect(201);
        }
        let list = format!("{path}/events");
        let listed = fixture.base.get(&vera, &list).expect(200).body;
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert_eq!(listed["items"][0]["text"], path);
        fixture.base.get(&otto, &list).expect_problem("not-found");
    }
}
