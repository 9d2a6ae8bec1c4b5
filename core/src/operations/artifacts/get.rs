//! `GET /v1/projects/{project}/artifacts/{artifact}`

use alloc::{boxed::Box, vec::Vec};

use super::ArtifactView;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, content::ArtifactRef, schema, view,
    },
    value::Capability,
};

struct GetArtifact {
    target: ArtifactRef,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/artifacts/{artifact}",
    "get_artifact",
    "Show a document",
    parse,
)
.describes("Answers the name, the labels and the newest available version of the document.")
.requires(Requires::Project(Capability::ArtifactView))
.budget(Budget::READ)
.answers(&[Success::ok(
    schema::<ArtifactView>,
    Example::Text(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(GetArtifact {
        target: ArtifactRef::of(request)?,
    }))
}

impl UseCase for GetArtifact {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let artifact = self.target.find(context, facts)?.artifact;
        let view = ArtifactView::from(&artifact);
        Ok(Outcome::Reply(view::shown(&artifact, &view)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use crate::testing::document_fixture::{BYTES, DocumentFixture};

    #[test]
    fn document_shows_viewers_its_current_version() {
        let mut fixture = DocumentFixture::new();
        let (vera, path) = (fixture.vera.clone(), fixture.uploaded());
        let answer = fixture.base.get(&vera, &path).expect(200);
        assert_eq!(fixture.base.rounds, 1);
        assert!(answer.etag.is_some());
        assert_eq!(answer.body["current"]["number"], 1);
        assert_eq!(answer.body["current"]["size"], BYTES.len());
        assert_eq!(answer.body["version"], 2);
    }

    #[test]
    fn case_17_and_24_foreign_and_malformed_ids_are_not_found() {
        let mut fixture = DocumentFixture::new();
        let (ben, otto, path) = (
            fixture.ben.clone(),
            fixture.otto.clone(),
            fixture.uploaded(),
        );
        fixture.base.get(&otto, &path).expect_problem("not-found");
        let hidden = fixture.base.get(&otto, &path).body;
        let list = fixture.artifacts();
        for id in [
            "art_01h2xcejqtf2nbrexx3vqjhp41",
            "ART_01h2xcejqtf2nbrexx3vqjhp41",
            "art_x%23y",
            "art_%00",
            "..",
        ] {
            let absent = fixture.base.get(&ben, &format!("{list}/{id}"));
            assert_eq!(absent.status, 404);
            assert_eq!(absent.body["detail"], hidden["detail"]);
        }
    }

    #[test]
    fn case_18_document_is_found_only_below_its_project() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let id = path.rsplit('/').next().unwrap();
        let (ben, other) = (fixture.ben.clone(), fixture.open_project());
        fixture.base.get(&ben, &other).expect(200);
        let foreign_path = format!("{other}/artifacts/{id}");
        fixture
            .base
            .get(&ben, &foreign_path)
            .expect_problem("not-found");
    }
}
