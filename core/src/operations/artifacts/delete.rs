//! `DELETE /v1/projects/{project}/artifacts/{artifact}`

use alloc::{boxed::Box, vec::Vec};

use crate::{
    api::{IfMatch, Method, Parsed, Precondition, Problem, Route},
    context::Context,
    facts::{Ask, Facts},
    model::EventType,
    operations::content::ArtifactPlace,
    permission::Capability,
    storage::Scope,
    use_case::{Outcome, Reply, UseCase},
};

/// Deletes an artifact. Everything that hangs on it stays as it is, and out of sight.
struct DeleteArtifact {
    place: ArtifactPlace,
    if_match: IfMatch,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/projects/{project}/artifacts/{artifact}",
    "delete_artifact",
    "Deletes a document, with everything that hangs on it, until it is restored",
    parse,
)
.precondition(Precondition::Optional)
.answers(&[(204, None)]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(DeleteArtifact {
        if_match: request.if_match()?,
        place: ArtifactPlace::of(request)?,
    }))
}

impl UseCase for DeleteArtifact {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let found = self.place.find(context, facts)?;
        let current = self.if_match.honour(Some(&found.artifact.etag()));
        let permit = found.permit_if(Capability::ArtifactDelete, current)?;
        let mut commit = found.commit(context, permit);
        commit.delete(&found.artifact);
        commit.finish(EventType::ArtifactDeleted, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use crate::operations::content::testing::{BYTES, Desk, declaration};

    #[test]
    fn a_deleted_artifact_and_what_hangs_on_it_are_gone() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let derived = desk.derived(&path, b"text", json!({}));
        let (ana, ben) = (desk.ana.clone(), desk.ben.clone());
        desk.world.delete(&ana, &path).expect(204);
        assert_eq!(desk.events().last().unwrap(), "artifact.deleted");
        let before = desk.world.dump();
        for below in [
            "",
            "/versions",
            "/versions/1",
            "/derived",
            "/metadata",
            "/events",
        ] {
            let path = format!("{path}{below}");
            desk.world.get(&ben, &path).expect_problem("not-found");
        }
        desk.world.get(&ben, &derived).expect_problem("not-found");
        desk.complete(&derived).expect_problem("not-found");
        for (below, body) in [
            ("versions", declaration(BYTES)),
            ("versions/1/download", json!({})),
            ("versions/1/restore", json!({})),
            ("metadata", json!({ "values": { "a": 1 } })),
            ("events", json!({ "kind": "note", "text": "x" })),
        ] {
            let path = format!("{path}/{below}");
            desk.world
                .post(&ben, &path, body)
                .expect_problem("not-found");
        }
        desk.world.delete(&ana, &path).expect_problem("not-found");
        assert_eq!(desk.world.dump(), before);
    }

    #[test]
    fn refusals_change_nothing() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let (ana, ben, otto) = (desk.ana.clone(), desk.ben.clone(), desk.otto.clone());
        let before = desk.world.dump();
        desk.world.delete(&otto, &path).expect_problem("not-found");
        let refused = desk.world.delete(&ben, &path).expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["artifact.delete"]));
        let stale = [("if-match", "\"00000000000000000000000000000000\"")];
        desk.world
            .send(&ana, "DELETE", &path, &stale, None)
            .expect_problem("precondition-failed");
        assert_eq!(desk.world.dump(), before);
        desk.archive();
        desk.world.delete(&ana, &path).expect_problem("conflict");
    }
}
