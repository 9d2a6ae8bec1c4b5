//! `GET /v1/projects/{project}/artifacts/{artifact}/derived`

use alloc::boxed::Box;

use super::DerivedView;
use crate::{
    api::{Method, PAGE, Parsed, Problem, Route, schema, view::ListView},
    model::Derived,
    operations::content::listing::Listing,
    permission::Capability,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/derived",
    "list_derived",
    "Lists the derived outputs of a document, oldest first",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<DerivedView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let listing =
        Listing::<Derived, _>::documents(request, "DERIVED", Capability::ArtifactView, |record| {
            DerivedView::from(record)
        })?;
    Ok(Box::new(listing))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::operations::content::testing::Desk;

    #[test]
    fn lists_the_outputs_of_one_artifact() {
        let mut desk = Desk::new();
        let (path, other) = (desk.uploaded(), desk.uploaded());
        desk.derived(&path, b"text", json!({}));
        desk.world.pass(core::time::Duration::from_secs(1));
        desk.derived(&path, b"more", json!({ "kind": "thumbnail" }));
        desk.derived(&other, b"text", json!({}));
        let (vera, otto, list) = (
            desk.vera.clone(),
            desk.otto.clone(),
            format!("{path}/derived"),
        );
        let listed = desk.world.get(&vera, &list).expect(200).body;
        assert_eq!(desk.world.waves, 2);
        let items = listed["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0]["kind"], "text");
        assert_eq!(items[1]["kind"], "thumbnail");
        desk.world.get(&otto, &list).expect_problem("not-found");
    }
}
