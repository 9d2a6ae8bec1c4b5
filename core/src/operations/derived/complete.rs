//! `POST /v1/projects/{project}/artifacts/{artifact}/derived/{derived}/complete`

use alloc::boxed::Box;

use super::DerivedView;
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema},
    model::Derived,
    operations::content::complete::{Complete, Input},
    use_case::UseCase,
};

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/derived/{derived}/complete",
    "complete_derived",
    "Verifies the uploaded bytes of a derived output and makes it available",
    parse,
)
.takes(schema::<Input>)
.answers(&[
    (200, Some(schema::<DerivedView>)),
    (202, Some(schema::<DerivedView>)),
])
.refuses(&[ProblemKind::UploadMismatch]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(Complete::<Derived>::parse(request)?))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::{Value, json};

    use crate::operations::content::testing::Desk;

    #[test]
    fn an_output_becomes_available_without_touching_artifact_or_version() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let derived = desk.derived(&path, b"text", json!({}));
        let (artifact, version) = (desk.shown(&path), desk.shown(&format!("{path}/versions/1")));
        desk.put(&derived, b"text");
        let answer = desk.complete(&derived).expect(200);
        assert_eq!(desk.world.waves, 2);
        assert_eq!(answer.body["status"], "available");
        assert_eq!(desk.events().last().unwrap(), "derived.available");
        assert_eq!(desk.shown(&path), artifact);
        assert_eq!(desk.shown(&format!("{path}/versions/1")), version);
    }

    #[test]
    fn a_successor_supersedes_once_it_is_available_and_not_before() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let old = desk.derived(&path, b"text", json!({}));
        let old_id = desk.shown(&old)["id"].clone();
        let new = desk.derived(&path, b"better", json!({ "supersedes": old_id }));
        assert_eq!(desk.shown(&new)["supersedes"], old_id);
        assert_eq!(desk.shown(&old).get("superseded_by"), None);
        desk.put(&new, b"worse!");
        desk.complete(&new).expect_problem("upload-mismatch");
        assert_eq!(desk.events().last().unwrap(), "derived.rejected");
        assert_eq!(desk.shown(&old).get("superseded_by"), None);
        let new = desk.derived(&path, b"better", json!({ "supersedes": old_id }));
        desk.put(&new, b"better");
        let answer = desk.complete(&new).expect(200);
        assert_eq!(desk.world.waves, 2);
        assert_eq!(desk.shown(&old)["superseded_by"], answer.body["id"]);
    }

    #[test]
    fn refusals_change_nothing() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let derived = desk.derived(&path, b"text", json!({}));
        let (vera, otto) = (desk.vera.clone(), desk.otto.clone());
        let complete = format!("{derived}/complete");
        let before = desk.world.dump();
        desk.complete(&derived).expect_problem("conflict");
        desk.world
            .post(&otto, &complete, Value::Object(Default::default()))
            .expect_problem("not-found");
        let refused = desk
            .world
            .post(&vera, &complete, json!({}))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["derived.create"]));
        assert_eq!(desk.world.dump(), before);
    }
}
