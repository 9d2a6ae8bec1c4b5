//! `GET /v1/projects/{project}/artifacts/{artifact}/versions`

use alloc::boxed::Box;

use super::VersionView;
use crate::{
    api::{Method, PAGE, Parsed, Problem, Route, schema, view::ListView},
    model::Version,
    operations::content::listing::Listing,
    permission::Capability,
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}/versions",
    "list_versions",
    "Lists the versions of a document, oldest first",
    parse,
)
.query(&PAGE)
.answers(&[(200, Some(schema::<ListView<VersionView>>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let listing =
        Listing::<Version, _>::documents(request, "RAW", Capability::ArtifactView, |record| {
            VersionView::from(record)
        })?;
    Ok(Box::new(listing))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::{Value, json};

    use crate::operations::content::testing::Desk;

    #[test]
    fn lists_versions_by_number_page_by_page() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        for _ in 2..=11 {
            desk.added(&path, b"more");
        }
        let (vera, list) = (desk.vera.clone(), format!("{path}/versions?limit=10"));
        let first = desk.world.get(&vera, &list).expect(200);
        assert_eq!(desk.world.waves, 2);
        let numbers = first.body["items"].as_array().unwrap().iter();
        assert!(
            numbers
                .map(|item| &item["number"])
                .eq(&(1..=10).map(|n| json!(n)).collect::<alloc::vec::Vec<_>>())
        );
        Desk::assert_discreet(&first.body["items"][0]);
        let cursor = first.text("next_cursor");
        let second = desk
            .world
            .get(&vera, &format!("{list}&cursor={cursor}"))
            .expect(200);
        assert_eq!(second.body["items"][0]["number"], 11);
        assert_eq!(second.body["next_cursor"], Value::Null);
    }

    #[test]
    fn case_21_a_list_holds_its_own_artifact_only() {
        let mut desk = Desk::new();
        let (first, second) = (desk.uploaded(), desk.uploaded());
        desk.added(&second, b"more");
        let listed = desk.shown(&format!("{first}/versions"));
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        let (otto, list) = (desk.otto.clone(), format!("{first}/versions"));
        desk.world.get(&otto, &list).expect_problem("not-found");
        assert_eq!(desk.world.waves, 1);
    }
}
