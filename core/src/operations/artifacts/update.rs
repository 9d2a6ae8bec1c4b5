//! `PATCH /v1/projects/{project}/artifacts/{artifact}`

use alloc::{boxed::Box, collections::BTreeMap, format, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::ArtifactView;
use crate::{
    operation::{
        ARCHIVED, Budget, Context, Example, Facts, IfMatch, Method, Outcome, Parsed, Precondition,
        Problem, ReadRequest, Requires, Route, Success, UseCase, content::ArtifactRef, schema,
        view,
    },
    record::{Artifact, EventType},
    storage::Scope,
    value::{Capability, FileName, Label},
};

struct UpdateArtifact {
    target: ArtifactRef,
    input: Input,
    if_match: IfMatch,
}

/// A change of a document. Members left out stay as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ArtifactChange")]
struct Input {
    name: Option<FileName>,
    /// All labels from now on, at most 50.
    #[schemars(extend("maxProperties" = Artifact::LABELS))]
    labels: Option<BTreeMap<Label, Label>>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/projects/{project}/artifacts/{artifact}",
    "update_artifact",
    "Rename or label a document",
    parse,
)
.describes("`labels` replaces all labels. Members left out stay as they are.")
.requires(Requires::Project(Capability::ArtifactEdit))
.budget(Budget::WRITE)
.takes(schema::<Input>, r#"{ "name": "Floor plan.pdf" }"#)
.precondition(Precondition::Required)
.answers(&[Success::ok(
    schema::<ArtifactView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[ARCHIVED]);

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
        target: ArtifactRef::of(request)?,
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
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let found = self.target.find(context, facts)?;
        let before = &found.artifact;
        let current = self.if_match.require(&before.etag());
        let permit = found.permit_if(Capability::ArtifactEdit, current)?;
        let changed = self.input.applied_to(&before.body);
        if changed == before.body {
            let view = ArtifactView::from(before);
            return Ok(Outcome::Reply(view::shown(before, &view)));
        }
        let mut commit = found.commit(context, permit)?;
        let artifact = commit.update(before, changed);
        let reply = view::shown(&artifact, &ArtifactView::from(&artifact));
        commit.finish(EventType::ArtifactUpdated, reply)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, string::String};

    use serde_json::json;

    use crate::testing::document_fixture::{BYTES, DocumentFixture};

    #[test]
    fn document_update_leaves_versions_unchanged() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.uploaded());
        let change = json!({ "name": "letter.pdf", "labels": { "year": "2026" } });
        let answer = fixture.base.patch(&ben, &path, change.clone()).expect(200);
        assert_eq!(fixture.base.rounds, 1);
        assert_eq!(answer.body["name"], "letter.pdf");
        assert_eq!(answer.body["labels"], json!({ "year": "2026" }));
        assert_eq!(answer.body["updated_by"], ben.id());
        let version = fixture.shown(&alloc::format!("{path}/versions/1"));
        assert_eq!(version["name"], "report.pdf");
        let stored = fixture.base.dump();
        let again = fixture.base.patch(&ben, &path, change).expect(200);
        assert_eq!(again.etag, answer.etag);
        assert_eq!(fixture.base.dump(), stored);
    }

    #[test]
    fn document_update_requires_if_match() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.uploaded());
        let before = fixture.base.dump();
        let change = Some(json!({ "name": "letter.pdf" }));
        fixture
            .base
            .send(&ben, "PATCH", &path, &[], change.clone())
            .expect_problem("precondition-required");
        let stale = [("if-match", "\"00000000000000000000000000000000\"")];
        fixture
            .base
            .send(&ben, "PATCH", &path, &stale, change.clone())
            .expect_problem("precondition-failed");
        assert_eq!(fixture.base.dump(), before);
        let etag = fixture.base.get(&ben, &path).etag.unwrap();
        let current = [("if-match", etag.as_str())];
        fixture
            .base
            .send(&ben, "PATCH", &path, &current, change)
            .expect(200);
    }

    #[test]
    fn document_has_at_most_fifty_bounded_labels() {
        let mut fixture = DocumentFixture::new();
        let (ben, path) = (fixture.ben.clone(), fixture.declared(BYTES));
        let before = fixture.base.dump();
        let labels = |count: usize| -> BTreeMap<String, &str> {
            (0..count)
                .map(|n| (alloc::format!("label {n}"), "x"))
                .collect()
        };
        let change = json!({ "labels": labels(51) });
        assert_eq!(fixture.base.patch(&ben, &path, change).field(), "labels");
        let change = json!({ "labels": { "x": "" } });
        assert_eq!(fixture.base.patch(&ben, &path, change).field(), "labels.x");
        assert_eq!(fixture.base.dump(), before);
        let change = json!({ "labels": labels(50) });
        fixture.base.patch(&ben, &path, change).expect(200);
    }

    #[test]
    fn document_update_refuses_in_order_and_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.declared(BYTES);
        let (ben, otto, vera) = (
            fixture.ben.clone(),
            fixture.otto.clone(),
            fixture.vera.clone(),
        );
        let before = fixture.base.dump();
        let change = json!({ "name": "letter.pdf" });
        fixture
            .base
            .patch(&otto, &path, change.clone())
            .expect_problem("not-found");
        // A missing capability is refused before the missing precondition.
        let refused = fixture
            .base
            .send(&vera, "PATCH", &path, &[], Some(change.clone()))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["artifact.edit"]));
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        let archived = fixture.base.dump();
        // A stale precondition is refused before the state of the project.
        fixture
            .base
            .send(&ben, "PATCH", &path, &[], Some(change.clone()))
            .expect_problem("precondition-required");
        fixture
            .base
            .patch(&ben, &path, change)
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), archived);
    }
}
