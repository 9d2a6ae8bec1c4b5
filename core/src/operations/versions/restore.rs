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
