//! `PATCH /v1/projects/{project}`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::ProjectView;
use crate::{
    api::{
        IfMatch, Method, Parsed, Precondition, Problem, ProblemKind, Route, nullable, schema, view,
    },
    authority::{ProjectRecords, settle},
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Project, Visibility},
    permission::{Access, Capability, Permit, Refusal},
    storage::Scope,
    use_case::{Outcome, UseCase},
    value::{Description, Name, ProjectId},
};

/// Changes a project.
#[derive(Debug)]
struct UpdateProject {
    project: ProjectId,
    if_match: IfMatch,
    input: Input,
}

/// The body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProjectChange")]
struct Input {
    name: Option<Name>,
    /// Null removes it.
    #[serde(default, deserialize_with = "nullable")]
    #[schemars(with = "Option<Description>")]
    description: Option<Option<Description>>,
    visibility: Option<Visibility>,
    /// True makes the project read-only, which rules out any other change until it is false again.
    archived: Option<bool>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/projects/{project}",
    "update_project",
    "Renames, describes, opens, closes or archives a project",
    parse,
)
.takes(schema::<Input>)
.answers(&[(200, Some(schema::<ProjectView>))])
.precondition(Precondition::Required)
.refuses(&[ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(UpdateProject {
        project: request.path("project")?,
        if_match: request.if_match()?,
        input: request.body()?,
    }))
}

impl Input {
    fn only_archives(&self) -> bool {
        let edits = self.name.is_some() || self.description.is_some() || self.visibility.is_some();
        self.archived.is_some() && !edits
    }

    fn applied_to(&self, project: &Project) -> Project {
        let Self {
            name,
            description,
            visibility,
            archived,
        } = self;
        Project {
            name: name.as_ref().unwrap_or(&project.name).clone(),
            description: description.as_ref().unwrap_or(&project.description).clone(),
            visibility: visibility.unwrap_or(project.visibility),
            archived: archived.unwrap_or(project.archived),
        }
    }
}

impl UpdateProject {
    /// Editing and archiving are different capabilities. Whoever may edit holds all that opening the
    /// project to the account hands out, which is a viewer's.
    fn permit(&self, access: &Access<'_>) -> Result<Permit, Refusal> {
        let archive = || access.permit(self.project, Capability::ProjectArchive);
        if self.input.only_archives() {
            return archive();
        }
        let edit = access.permit(self.project, Capability::ProjectEdit);
        match self.input.archived {
            None => edit,
            Some(_) => archive().and(edit),
        }
    }
}

fn event(before: &Project, after: &Project) -> EventType {
    match (before.archived, after.archived) {
        (false, true) => EventType::ProjectArchived,
        (true, false) => EventType::ProjectUnarchived,
        _ => EventType::ProjectUpdated,
    }
}

impl UseCase for UpdateProject {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(ProjectRecords::asks(self.project, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let mut records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let project = access.project.ok_or_else(Problem::not_found)?.clone();
        let precondition = self.if_match.require(&project.etag());
        let (permit, ()) = settle(self.permit(&access), precondition)?;
        let after = self.input.applied_to(&project.body);
        if project.body.archived && after.archived {
            return Err(Refusal::Archived.into());
        }
        if after == project.body {
            let view = ProjectView::with_access(&project, &access);
            return Ok(Outcome::Reply(view::shown(&project, &view)));
        }
        let mut commit = Commit::open(context, permit, records.head.take());
        let event = event(&project.body, &after);
        let project = commit.update(&project, after);
        records.project = Some(project.clone());
        let view = ProjectView::with_access(&project, &records.access(context.env.now));
        commit.finish(event, view::shown(&project, &view))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }
}
