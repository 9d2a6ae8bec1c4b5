//! `POST /v1/projects/{project}/artifacts/{artifact}/restore`

use alloc::{boxed::Box, vec::Vec};

use super::ArtifactView;
use crate::{
    operation::{
        ARCHIVED, Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ProblemKind,
        ReadRequest, Reply, Requires, Route, Success, UseCase,
        content::{ArtifactRef, FoundArtifact},
        schema, view,
    },
    permission::Permit,
    record::{Artifact, EventType, Record},
    storage::{Key, Scope},
    value::Capability,
};

struct RestoreArtifact {
    target: ArtifactRef,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/restore",
    "restore_artifact",
    "Restore a deleted document",
    parse,
)
.describes("A document that is not deleted stays as it is.")
.requires(Requires::Project(Capability::ArtifactDelete))
.budget(Budget::WRITE)
.answers(&[Success::ok(
    schema::<ArtifactView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[ARCHIVED]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(RestoreArtifact {
        target: ArtifactRef::of(request)?,
    }))
}

impl RestoreArtifact {
    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, FoundArtifact), Problem> {
        let found = self.target.find_any(context, facts)?;
        match found.permit(Capability::ArtifactDelete) {
            // Only callers who may restore a deleted document learn that it exists.
            Err(problem) if found.artifact.deleted && problem.kind == ProblemKind::Forbidden => {
                Err(Problem::not_found())
            }
            permit => Ok((permit?, found)),
        }
    }
}

fn reply(artifact: &Record<Artifact>) -> Reply {
    view::shown(artifact, &ArtifactView::from(artifact))
}

impl UseCase for RestoreArtifact {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found) = self.authorise(context, facts)?;
        let before = &found.artifact;
        if !before.deleted {
            return Ok(Outcome::Reply(reply(before)));
        }
        let mut commit = found.commit(context, permit)?;
        let body = Artifact {
            deleted_at: None,
            ..before.body.clone()
        };
        let artifact = commit.update(before, body);
        commit.finish(EventType::ArtifactRestored, reply(&artifact))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.scope())
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        self.authorise(context, facts)?;
        Ok(reply(&view::replayed(facts, records, 0)?))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::testing::document_fixture::DocumentFixture;

    #[test]
    fn restored_document_shows_its_records_again() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (ana, before) = (fixture.ana.clone(), fixture.shown(&path));
        fixture.base.delete(&ana, &path).expect(204);
        let restore = format!("{path}/restore");
        let answer = fixture.base.post(&ana, &restore, json!({})).expect(200);
        assert_eq!(answer.body["current"], before["current"]);
        assert_eq!(answer.body["version"], 4);
        fixture.shown(&format!("{path}/versions/1"));
        let list = fixture.artifacts();
        assert_eq!(fixture.shown(&list)["items"][0]["id"], before["id"]);
        let stored = fixture.base.dump();
        fixture.base.post(&ana, &restore, json!({})).expect(200);
        assert_eq!(fixture.base.dump(), stored);
    }

    #[test]
    fn document_restore_repeated_answers_the_same() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let ana = fixture.ana.clone();
        fixture.base.delete(&ana, &path).expect(204);
        let (restore, key) = (format!("{path}/restore"), [("idempotency-key", "back")]);
        let first = fixture
            .base
            .send(&ana, "POST", &restore, &key, None)
            .expect(200);
        let second = fixture
            .base
            .send(&ana, "POST", &restore, &key, None)
            .expect(200);
        assert_eq!(first.body, second.body);
    }

    #[test]
    fn deleted_document_is_hidden_without_delete_permission() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (ana, ben, otto) = (
            fixture.ana.clone(),
            fixture.ben.clone(),
            fixture.otto.clone(),
        );
        let restore = format!("{path}/restore");
        let refused = fixture
            .base
            .post(&ben, &restore, json!({}))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["artifact.delete"]));
        fixture.base.delete(&ana, &path).expect(204);
        let before = fixture.base.dump();
        for person in [&ben, &otto] {
            fixture
                .base
                .post(person, &restore, json!({}))
                .expect_problem("not-found");
        }
        let body = json!({ "name": "x" });
        assert_eq!(fixture.base.post(&ana, &restore, body).field(), "name");
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture
            .base
            .post(&ana, &restore, json!({}))
            .expect_problem("conflict");
    }
}
