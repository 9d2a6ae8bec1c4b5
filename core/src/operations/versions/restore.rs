//! `POST /v1/projects/{project}/artifacts/{artifact}/versions/{number}/restore`

use alloc::{boxed::Box, vec::Vec};

use super::{VersionView, current_of, next_number};
use crate::{
    api::{Method, Parsed, Problem, Route, schema, view},
    context::Context,
    facts::{Ask, Facts},
    model::{Artifact, Content, ContentStatus, EventType, Record, Version},
    operations::content::{FoundArtifact, Place},
    permission::{Capability, Permit},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
};

/// Makes an old version the current one again: as a new version with the same bytes.
struct RestoreVersion {
    place: Place<Version>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions/{number}/restore",
    "restore_version",
    "Makes an old version the current one again, as a new version",
    parse,
)
.answers(&[(201, Some(schema::<VersionView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(RestoreVersion {
        place: Place::of(request)?,
    }))
}

impl RestoreVersion {
    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, FoundArtifact, Record<Version>), Problem> {
        let (found, source) = self.place.find(context, facts)?;
        Ok((found.permit(Capability::VersionCreate)?, found, source))
    }
}

fn reply(version: &Record<Version>) -> Reply {
    view::created(version, &VersionView::from(version))
}

/// A version with the bytes of another one, which are not copied.
fn restored(context: &Context<'_>, source: &Version, number: u32) -> Version {
    Version {
        number,
        content: Content {
            uploaded_by: context.user(),
            upload_expires_at: context.env.now,
            stored_as: Some(source.content.stored_as.unwrap_or(source.number)),
            ..source.content.clone()
        },
        restored_from: Some(source.number),
        ..source.clone()
    }
}

impl UseCase for RestoreVersion {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found, source) = self.authorise(context, facts)?;
        if source.body.content.status != ContentStatus::Available {
            return Err(Problem::conflict(
                "only a version whose bytes are available can be restored",
            ));
        }
        let number = next_number(&found.artifact.body)?;
        let version = restored(context, &source.body, number.0);
        let artifact = Artifact {
            last_version: number.0,
            current: Some(current_of(&version)),
            ..found.artifact.body.clone()
        };
        let mut commit = found.commit(context, permit);
        commit.update(&found.artifact, artifact);
        let version = commit.create(number, version);
        commit.finish(EventType::VersionRestored, reply(&version))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.below.scope())
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
    use alloc::{format, string::ToString};

    use serde_json::json;

    use crate::operations::content::testing::{BYTES, Desk};

    #[test]
    fn an_old_version_becomes_a_new_one_with_the_same_bytes() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let second = desk.added(&path, b"second");
        desk.put(&second, b"second");
        desk.complete(&second).expect(200);
        let (bea, restore) = (desk.bea.clone(), format!("{path}/versions/1/restore"));
        let answer = desk.world.post(&bea, &restore, json!({})).expect(201);
        assert_eq!(desk.world.waves, 1);
        assert_eq!(answer.body["number"], 3);
        assert_eq!(answer.body["restored_from"], 1);
        assert_eq!(answer.body["status"], "available");
        assert_eq!(answer.body["uploaded_by"], bea.id());
        Desk::assert_discreet(&answer.body);
        assert_eq!(desk.shown(&path)["current"]["number"], 3);
        assert_eq!(desk.shown(&path)["current"]["size"], BYTES.len());
        // A restored version of a restored version still has the first one's bytes.
        let again = format!("{path}/versions/3/restore");
        desk.world.post(&bea, &again, json!({})).expect(201);
        let download = format!("{path}/versions/4/download");
        let signed = desk.world.post(&bea, &download, json!({})).expect(200);
        let object = desk.object_path(&format!("{path}/versions/1"));
        assert_eq!(signed.download().path.to_string(), object);
        assert_eq!(
            signed.download().object_version.as_deref(),
            Some("object-1")
        );
    }

    #[test]
    fn a_repetition_restores_once() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let (ben, restore) = (desk.ben.clone(), format!("{path}/versions/1/restore"));
        let key = [("idempotency-key", "again")];
        let first = desk
            .world
            .send(&ben, "POST", &restore, &key, None)
            .expect(201);
        let second = desk
            .world
            .send(&ben, "POST", &restore, &key, None)
            .expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(desk.shown(&path)["versions"], 2);
    }

    #[test]
    fn refusals_change_nothing() {
        let mut desk = Desk::new();
        let path = desk.uploaded();
        let pending = desk.added(&path, b"second");
        let (ana, ben) = (desk.ana.clone(), desk.ben.clone());
        let (vera, otto) = (desk.vera.clone(), desk.otto.clone());
        let restore = format!("{path}/versions/1/restore");
        let before = desk.world.dump();
        desk.world
            .post(&otto, &restore, json!({}))
            .expect_problem("not-found");
        let refused = desk
            .world
            .post(&vera, &restore, json!({}))
            .expect_problem("forbidden");
        assert_eq!(refused.body["missing"], json!(["version.create"]));
        let unfinished = format!("{pending}/restore");
        desk.world
            .post(&ben, &unfinished, json!({}))
            .expect_problem("conflict");
        assert_eq!(desk.world.dump(), before);
        desk.archive();
        desk.world
            .post(&ana, &restore, json!({}))
            .expect_problem("conflict");
    }
}
