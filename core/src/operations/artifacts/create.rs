//! `POST /v1/projects/{project}/artifacts`

use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::ArtifactView;
use crate::{
    api::{Method, Parsed, Problem, Route, plan::UploadPlan, schema, view},
    authority::ProjectRecords,
    canonical,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{Artifact, EventType, Record, Version, VersionNumber},
    operations::{
        content::declaration::{Declaration, plan},
        versions::VersionView,
    },
    permission::{Capability, Permit},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
    value::ProjectId,
};

/// Creates an artifact with its first version, which waits for its bytes.
struct CreateArtifact {
    project: ProjectId,
    input: Declaration,
}

/// The answer; the surface puts the plan in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedArtifact")]
struct CreatedView {
    artifact: ArtifactView,
    version: VersionView,
    /// How to bring the bytes; left out of a repeated answer once they need not be brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<UploadPlan>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/artifacts",
    "create_artifact",
    "Declares a document and plans the upload of its first version",
    parse,
)
.takes(schema::<Declaration>)
.answers(&[(201, Some(schema::<CreatedView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateArtifact {
        input: request.body()?,
        project: request.path("project")?,
    }))
}

impl CreateArtifact {
    fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, ProjectRecords), Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let permit = access.permit(self.project, Capability::ArtifactCreate)?;
        Ok((permit, records))
    }

    fn artifact(&self, context: &Context<'_>) -> Artifact {
        Artifact {
            project_id: self.project,
            name: self.input.name.clone(),
            labels: BTreeMap::new(),
            last_version: 1,
            current: None,
            storage_provider: context.surface.selection.provider,
        }
    }
}

fn reply(
    context: &Context<'_>,
    permit: Permit,
    artifact: &Record<Artifact>,
    version: &Record<Version>,
) -> Reply {
    let body = CreatedView {
        artifact: ArtifactView::from(artifact),
        version: VersionView::from(version),
        upload: None,
    };
    Reply {
        status: 201,
        body: Some(canonical::to_value(&body)),
        sign: plan(context, permit, version),
        records: vec![artifact.key(), version.key()],
        ..Reply::default()
    }
}

impl UseCase for CreateArtifact {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(ProjectRecords::asks(self.project, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, records) = self.authorise(context, facts)?;
        let mut commit = Commit::open(context, permit.clone(), records.head);
        let artifact = commit.create(context.env.id("artifact"), self.artifact(context));
        let version = Version {
            project_id: self.project,
            artifact_id: artifact.id,
            number: 1,
            content: self.input.content(context),
            restored_from: None,
        };
        let version = commit.create(VersionNumber(1), version);
        let reply = reply(context, permit, &artifact, &version);
        commit.finish(EventType::ArtifactCreated, reply)
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        let (permit, _) = self.authorise(context, facts)?;
        let artifact = view::replayed(facts, records, 0)?;
        let version = view::replayed(facts, records, 1)?;
        Ok(reply(context, permit, &artifact, &version))
    }
}
