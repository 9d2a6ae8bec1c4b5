//! `GET /v1/projects/{project}/artifacts`

use super::ArtifactView;
use crate::{
    operation::{Budget, Example, Method, PAGE, Requires, Route, Success, schema, view::ListView},
    operations::content::listing::Listing,
    record::Artifact,
    value::Capability,
};

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts",
    "list_artifacts",
    "List the documents of a project",
    Listing::<Artifact, ArtifactView>::artifacts,
)
.describes("Oldest first. Deleted documents are left out.")
.requires(Requires::Project(Capability::ArtifactView))
.budget(Budget::LIST)
.query(&PAGE)
.answers(&[Success::ok(
    schema::<ListView<ArtifactView>>,
    Example::Page(super::EXAMPLE),
)]);

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use serde_json::Value;

    use crate::testing::document_fixture::{BYTES, DocumentFixture};

    fn ids(body: &Value) -> Vec<String> {
        let items = body["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().into())
            .collect()
    }

    #[test]
    fn case_60_pages_stay_stable_across_inserts_and_deletes() {
        let mut fixture = DocumentFixture::new();
        let made: Vec<String> = (0..5)
            .map(|_| {
                fixture.base.pass(core::time::Duration::from_secs(1));
                let path = fixture.declared(BYTES);
                path.rsplit('/').next().unwrap().into()
            })
            .collect();
        let (ana, vera, path) = (
            fixture.ana.clone(),
            fixture.vera.clone(),
            fixture.artifacts(),
        );
        let deleted = format!("{path}/{}", made[1]);
        fixture.base.delete(&ana, &deleted).expect(204);
        let first = fixture
            .base
            .get(&vera, &format!("{path}?limit=2"))
            .expect(200);
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(ids(&first.body), made[..1]);
        let cursor = first.text("next_cursor");
        fixture.base.pass(core::time::Duration::from_secs(1));
        fixture.declared(BYTES);
        let second = fixture
            .base
            .get(&vera, &format!("{path}?limit=200&cursor={cursor}"))
            .expect(200);
        assert_eq!(ids(&second.body)[..3], made[2..]);
        assert_eq!(ids(&second.body).len(), 4);
        assert_eq!(second.body["next_cursor"], Value::Null);
    }

    #[test]
    fn case_19_document_cursor_is_bound_to_caller_and_list() {
        let mut fixture = DocumentFixture::new();
        let artifact = fixture.declared(BYTES);
        fixture.declared(BYTES);
        let (ben, vera, path) = (
            fixture.ben.clone(),
            fixture.vera.clone(),
            fixture.artifacts(),
        );
        let page = fixture.base.get(&ben, &format!("{path}?limit=1"));
        let cursor = page.text("next_cursor");
        let other_list = format!("{artifact}/versions?cursor={cursor}");
        assert_eq!(fixture.base.get(&ben, &other_list).field(), "cursor");
        let borrowed = format!("{path}?cursor={cursor}");
        assert_eq!(fixture.base.get(&vera, &borrowed).field(), "cursor");
    }

    #[test]
    fn document_list_is_not_read_for_outsiders() {
        let mut fixture = DocumentFixture::new();
        let (otto, path) = (fixture.otto.clone(), fixture.artifacts());
        fixture.base.get(&otto, &path).expect_problem("not-found");
        assert_eq!(fixture.base.rounds, 1);
        let limit = format!("{path}?limit=201");
        assert_eq!(fixture.base.get(&otto, &limit).field(), "limit");
    }
}
