//! `DELETE /v1/projects/{project}/artifacts/{artifact}`

use alloc::{boxed::Box, vec::Vec};

use crate::{
    operation::{
        ARCHIVED, Budget, Context, Facts, IfMatch, Method, Outcome, Parsed, Precondition, Problem,
        ReadRequest, Reply, Requires, Route, Success, UseCase, content::ArtifactRef,
    },
    record::{Artifact, EventType},
    storage::Scope,
    value::Capability,
};

/// The versions, outputs and other records of the document do not change. They are hidden with it.
struct DeleteArtifact {
    target: ArtifactRef,
    if_match: IfMatch,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/projects/{project}/artifacts/{artifact}",
    "delete_artifact",
    "Delete a document",
    parse,
)
.describes(
    "Its versions, derived outputs, metadata and write events are hidden with it. Restoring \
     the document brings them back.",
)
.requires(Requires::Project(Capability::ArtifactDelete))
.budget(Budget::WRITE)
.precondition(Precondition::Optional)
.answers(&[Success::NO_CONTENT])
.refuses(&[ARCHIVED]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(DeleteArtifact {
        if_match: request.if_match()?,
        target: ArtifactRef::of(request)?,
    }))
}

impl UseCase for DeleteArtifact {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let found = self.target.find(context, facts)?;
        let current = self.if_match.check(Some(&found.artifact.etag()));
        let permit = found.permit_if(Capability::ArtifactDelete, current)?;
        let mut commit = found.commit(context, permit)?;
        let body = Artifact {
            deleted_at: Some(context.env.now),
            ..found.artifact.body.clone()
        };
        commit.delete_as(&found.artifact, body);
        commit.finish(EventType::ArtifactDeleted, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.target.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::testing::document_fixture::{BYTES, DocumentFixture, declaration};

    #[test]
    fn deleted_document_and_its_records_are_not_found() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let derived = fixture.derived(&path, b"text", json!({}));
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        fixture.base.delete(&ana, &path).expect(204);
        assert_eq!(fixture.events().last().unwrap(), "artifact.deleted");
        let before = fixture.base.dump();
        for below in [
            "",
            "/versions",
            "/versions/1",
            "/derived",
            "/metadata",
            "/events",
        ] {
            let path = format!("{path}{below}");
            fixture.base.get(&ben, &path).expect_problem("not-found");
        }
        fixture.base.get(&ben, &derived).expect_problem("not-found");
        fixture.complete(&derived).expect_problem("not-found");
        for (below, body) in [
            ("versions", declaration(BYTES)),
            ("versions/1/download", json!({})),
            ("versions/1/restore", json!({})),
            ("metadata", json!({ "values": { "a": 1 } })),
            ("events", json!({ "kind": "note", "text": "x" })),
        ] {
            let path = format!("{path}/{below}");
            fixture
                .base
                .post(&ben, &path, body)
                .expect_problem("not-found");
        }
        fixture.base.delete(&ana, &path).expect_problem("not-found");
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn refused_document_delete_changes_nothing() {
        let mut fixture = DocumentFixture::new();
        let path = fixture.uploaded();
        let (ana, ben, otto) = (
            fixture.ana.clone(),
            fixture.ben.clone(),
            fixture.otto.clone(),
        );
        let before = fixture.base.dump();
        fixture
            .base
            .delete(&otto, &path)
            .expect_problem("not-found");
        let refused = fixture.base.delete(&ben, &path).expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["artifact.delete"]));
        let stale = [("if-match", "\"00000000000000000000000000000000\"")];
        fixture
            .base
            .send(&ana, "DELETE", &path, &stale, None)
            .expect_problem("precondition-failed");
        assert_eq!(fixture.base.dump(), before);
        fixture.archive();
        fixture.base.delete(&ana, &path).expect_problem("conflict");
    }
}
