//! `POST /v1/projects/{project}/artifacts/{artifact}/derived/{derived}/complete`

use crate::{operation::Route, operations::content::complete::Complete, record::Derived};

pub(super) const ROUTE: Route = Complete::<Derived>::route(
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}/complete",
    "complete_derived",
    "Verify the uploaded bytes of a derived output and make it available",
)
.describes(
    "Compares size and digest with the declaration. Answers 202 if a large object is still \
     being verified; ask for the output again later. Completing an available output changes \
     nothing.",
);

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::{Value, json};

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn derived_output_completes_without_changing_its_document() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let derived = fixture.derived(&path, b"text", json!({}));
        let (artifact, version) = (
            fixture.shown(&path),
            fixture.shown(&format!("{path}/versions/1")),
        );
        fixture.put(&derived, b"text");
        let answer = fixture.complete(&derived).expect(200);
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(answer.body["status"], "available");
        assert_eq!(fixture.events().last().unwrap(), "derived.available");
        assert_eq!(fixture.shown(&path), artifact);
        assert_eq!(fixture.shown(&format!("{path}/versions/1")), version);
    }

    #[test]
    fn derived_output_supersedes_only_once_available() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let old = fixture.derived(&path, b"text", json!({}));
        let old_id = fixture.shown(&old)["id"].clone();
        let new = fixture.derived(&path, b"better", json!({ "supersedes": old_id }));
        assert_eq!(fixture.shown(&new)["supersedes"], old_id);
        assert_eq!(fixture.shown(&old).get("superseded_by"), None);
        fixture.put(&new, b"worse!");
        fixture.complete(&new).expect_problem("upload-mismatch");
        assert_eq!(fixture.events().last().unwrap(), "derived.rejected");
        assert_eq!(fixture.shown(&old).get("superseded_by"), None);
        let new = fixture.derived(&path, b"better", json!({ "supersedes": old_id }));
        fixture.put(&new, b"better");
        let answer = fixture.complete(&new).expect(200);
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(fixture.shown(&old)["superseded_by"], answer.body["id"]);
    }

    #[test]
    fn refused_completion_of_derived_output_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let derived = fixture.derived(&path, b"text", json!({}));
        let (vera, otto) = (fixture.vera.clone(), fixture.otto.clone());
        let complete = format!("{derived}/complete");
        let before = fixture.base.dump();
        fixture.complete(&derived).expect_problem("conflict");
        fixture
            .base
            .post(&otto, &complete, Value::Object(Default::default()))
            .expect_problem("not-found");
        let refused = fixture
            .base
            .post(&vera, &complete, json!({}))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["derived.create"]));
        assert_eq!(fixture.base.dump(), before);
    }
}
