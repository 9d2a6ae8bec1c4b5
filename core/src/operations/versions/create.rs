//! `POST /v1/projects/{project}/artifacts/{artifact}/versions`

use alloc::{boxed::Box, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::{VersionView, next_number};
use crate::{
    api::{Method, Parsed, Problem, Route, plan::UploadPlan, schema, view},
    canonical,
    context::Context,
    facts::{Ask, Facts},
    model::{Artifact, EventType, Record, Version},
    operations::content::{
        ArtifactPlace, FoundArtifact,
        declaration::{Declaration, plan},
    },
    permission::{Capability, Permit},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
};

/// Declares a further version, which waits for its bytes.
struct CreateVersion {
    place: ArtifactPlace,
    input: Declaration,
}

/// The answer; the surface puts the plan in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedVersion")]
struct CreatedView {
    version: VersionView,
    /// How to bring the bytes; left out of a repeated answer once they need not be brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<UploadPlan>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts/{artifact}/versions",
    "create_version",
    "Declares a further version of a document and plans its upload",
    parse,
)
.takes(schema::<Declaration>)
.answers(&[(201, Some(schema::<CreatedView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateVersion {
        input: request.body()?,
        place: ArtifactPlace::of(request)?,
    }))
}

impl CreateVersion {
    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, FoundArtifact), Problem> {
        let found = self.place.find(context, facts)?;
        Ok((found.permit(Capability::VersionCreate)?, found))
    }
}

fn reply(context: &Context<'_>, permit: Permit, version: &Record<Version>) -> Reply {
    let body = CreatedView {
        version: VersionView::from(version),
        upload: None,
    };
    Reply {
        status: 201,
        body: Some(canonical::to_value(&body)),
        sign: plan(context, permit, version),
        records: vec![version.key()],
        ..Reply::default()
    }
}

impl UseCase for CreateVersion {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.place.asks(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, found) = self.authorise(context, facts)?;
        let number = next_number(&found.artifact.body)?;
        let mut commit = found.commit(context, permit.clone());
        let artifact = Artifact {
            last_version: number.0,
            ..found.artifact.body.clone()
        };
        commit.update(&found.artifact, artifact);
        let version = Version {
            project_id: self.place.project,
            artifact_id: self.place.artifact,
            number: number.0,
            content: self.input.content(context),
            restored_from: None,
        };
        let version = commit.create(number, version);
        commit.finish(EventType::VersionCreated, reply(context, permit, &version))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.place.scope())
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        let (permit, _) = self.authorise(context, facts)?;
        let version = view::replayed(facts, records, 0)?;
        Ok(reply(context, permit, &version))
    }
}
