//! `PATCH /v1/projects/{project}/artifacts/{artifact}`

use alloc::{boxed::Box, collections::BTreeMap, format, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::ArtifactView;
use crate::{
    api::{IfMatch, Method, Parsed, Precondition, Problem, Route, schema, view},
    context::Context,
    facts::{Ask, Facts},
    model::{Artifact, EventType},
    operations::content::ArtifactPlace,
    permission::Capability,
    storage::Scope,
    use_case::{Outcome, UseCase},
    value::{FileName, Label},
};

/// Renames or labels an artifact.
struct UpdateArtifact {
    place: ArtifactPlace,
    input: Input,
    if_match: IfMatch,
}

/// The body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ArtifactChange")]
struct Input {
    name: Option<FileName>,
    /// All labels from now on, at most 50.
    #[schemars(extend("maxProperties" = Artifact::LABELS))]
    labels: Option<BTreeMap<Label, Label>>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/projects/{project}/artifacts/{artifact}",
    "update_artifact",
    "Renames or labels a document",
    parse,
)
.takes(schema::<Input>)
.precondition(Precondition::Required)
.answers(&[(200, Some(schema::<ArtifactView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input: Input = request.body()?;
    let labels = input.labels.as_ref().map_or(0, BTreeMap::len);
    if labels > Artifact::LABELS {
        let most = Artifact::LABELS;
        return Err(Problem::field("labels", format!("must be at most {most}")));
    }
    Ok(Box::new(UpdateArtifact {
        input,
        if_match: request.if_match()?,
        place: ArtifactPlace::of(request)?,
    }))
}

impl Input {
    fn applied_to(&self, artifact: &Artifact) -> Artifact {
        let mut artifact = artifact.clone();
        if let Some(name) = &self.name {
            artifact.name.clone_from(name);
        }
        if let Some(labels) = &self.labels {
            artifact.labels.clone_from(labels);
        }
        artifact
    }
}

impl UseCase for UpdateArtifact {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let found = self.place.find(context, facts)?;
        let before = &found.artifact;
        let current = self.if_match.require(&before.etag());
        let permit = found.permit_if(Capability::ArtifactEdit, current)?;
        let changed = self.input.applied_to(&before.body);
        if changed == before.body {
            let view = ArtifactView::from(before);
            return Ok(Outcome::Reply(view::shown(before, &view)));
        }
        let mut commit = found.commit(context, permit);
        let artifact = commit.update(before, changed);
        let reply = view::shown(&artifact, &ArtifactView::from(&artifact));
        commit.finish(EventType::ArtifactUpdated, reply)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, string::String};

    use serde_json::json;

    use crate::operations::content::testing::{BYTES, Desk};

    #[test]
    fn renames_and_labels_without_touching_the_versions() {
        let mut desk = Desk::new();
        let (ben, path) = (desk.ben.clone(), desk.uploaded());
        let change = json!({ "name": "letter.pdf", "labels": { "year": "2026" } });
        let answer = desk.world.patch(&ben, &path, change.clone()).expect(200);
        assert_eq!(desk.world.waves, 1);
        assert_eq!(answer.body["name"], "letter.pdf");
        assert_eq!(answer.body["labels"], json!({ "year": "2026" }));
        assert_eq!(answer.body["updated_by"], ben.id());
        let version = desk.shown(&alloc::format!("{path}/versions/1"));
        assert_eq!(version["name"], "report.pdf");
        let stored = desk.world.dump();
        let again = desk.world.patch(&ben, &path, change).expect(200);
        assert_eq!(again.etag, answer.etag);
        assert_eq!(desk.world.dump(), stored);
    }

    #[test]
    fn asks_which_version_is_meant() {
        let mut desk = Desk::new();
        let (ben, path) = (desk.ben.clone(), desk.uploaded());
        let before = desk.world.dump();
        let change = Some(json!({ "name": "letter.pdf" }));
        desk.world
            .send(&ben, "PATCH", &path, &[], change.clone())
            .expect_problem("precondition-required");
        let stale = [("if-match", "\"00000000000000000000000000000000\"")];
        desk.world
            .send(&ben, "PATCH", &path, &stale, change.clone())
            .expect_problem("precondition-failed");
        assert_eq!(desk.world.dump(), before);
        let etag = desk.world.get(&ben, &path).etag.unwrap();
        let current = [("if-match", etag.as_str())];
        desk.world
            .send(&ben, "PATCH", &path, &current, change)
            .expect(200);
    }

    #[test]
    fn at_most_fifty_labels_of_bounded_text() {
        let mut desk = Desk::new();
        let (ben, path) = (desk.ben.clone(), desk.declared(BYTES));
        let before = desk.world.dump();
        let labels = |count: usize| -> BTreeMap<String, &str> {
            (0..count)
                .map(|n| (alloc::format!("label {n}"), "x"))
                .collect()
        };
        let change = json!({ "labels": labels(51) });
        assert_eq!(desk.world.patch(&ben, &path, change).field(), "labels");
        let change = json!({ "labels": { "x": "" } });
        assert_eq!(desk.world.patch(&ben, &path, change).field(), "labels.x");
        assert_eq!(desk.world.dump(), before);
        let change = json!({ "labels": labels(50) });
        desk.world.patch(&ben, &path, change).expect(200);
    }

    #[test]
    fn refusals_come_in_their_order_and_change_nothing() {
        let mut desk = Desk::new();
        let path = desk.declared(BYTES);
        let (ben, otto, vera) = (desk.ben.clone(), desk.otto.clone(), desk.vera.clone());
        let before = desk.world.dump();
        let change = json!({ "name": "letter.pdf" });
        desk.world
            .patch(&otto, &path, change.clone())
            .expect_problem("not-found");
        // What is lacked comes before the missing precondition.
        let refused = desk
            .world
            .send(&vera, "PATCH", &path, &[], Some(change.clone()))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["artifact.edit"]));
        assert_eq!(desk.world.dump(), before);
        desk.archive();
        let archived = desk.world.dump();
        // A stale precondition comes before the state of the project.
        desk.world
            .send(&ben, "PATCH", &path, &[], Some(change.clone()))
            .expect_problem("precondition-required");
        desk.world
            .patch(&ben, &path, change)
            .expect_problem("conflict");
        assert_eq!(desk.world.dump(), archived);
    }
}
