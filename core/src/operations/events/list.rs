//! `GET /v1/projects/{project}/artifacts/{artifact}/events`

use alloc::boxed::Box;

use super::EventView;
use crate::{
    api::{Method, PAGE, Parsed, Problem, Route, schema, view::ListView},
    model::WriteEvent,
    operations::content::listing::Listing,
    permission::Capability,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/events",
    "list_events",
    "Lists the write events of a document, oldest first",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<EventView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let listing =
        Listing::<WriteEvent, _>::documents(request, "EVENT", Capability::EventView, |record| {
            EventView::from(record)
        })?;
    Ok(Box::new(listing))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::operations::content::testing::Desk;

    #[test]
    fn lists_to_viewers_of_that_artifact() {
        let mut desk = Desk::new();
        let (path, other) = (desk.uploaded(), desk.uploaded());
        let (cleo, vera, otto) = (desk.cleo.clone(), desk.vera.clone(), desk.otto.clone());
        for path in [&path, &other] {
            let body = json!({ "kind": "note", "text": path });
            desk.world
                .post(&cleo, &format!("{path}/events"), body)
                .expect(201);
        }
        let list = format!("{path}/events");
        let listed = desk.world.get(&vera, &list).expect(200).body;
        assert_eq!(desk.world.waves, 2);
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        assert_eq!(listed["items"][0]["text"], path);
        desk.world.get(&otto, &list).expect_problem("not-found");
    }
}
