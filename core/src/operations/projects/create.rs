//! `POST /v1/accounts/{account}/projects`

use alloc::{boxed::Box, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::ProjectView;
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema, view},
    authority::ProjectRecords,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Grant, Member, Principal, Project, Record, Visibility},
    permission::{Access, Capability, ProjectRole},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
    value::{AccountId, Description, Name, ProjectId},
};

/// Creates a project, owned by whoever asks.
#[derive(Debug)]
struct CreateProject {
    account: AccountId,
    input: Input,
}

/// The body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewProject")]
struct Input {
    name: Name,
    description: Option<Description>,
    visibility: Visibility,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts/{account}/projects",
    "create_project",
    "Creates a project, with an owner grant for the caller",
    parse,
)
.takes(schema::<Input>)
.answers(&[(201, Some(schema::<ProjectView>))])
.refuses(&[ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateProject {
        account: request.path("account")?,
        input: request.body()?,
    }))
}

fn reply(project: &Record<Project>, access: &Access<'_>) -> Reply {
    view::created(project, &ProjectView::with_access(project, access))
}

impl CreateProject {
    fn id(&self, context: &Context<'_>) -> ProjectId {
        ProjectId::new(self.account, context.new_scope_ulid())
    }

    fn project(&self) -> Project {
        Project {
            name: self.input.name.clone(),
            description: self.input.description.clone(),
            visibility: self.input.visibility,
            archived: false,
        }
    }
}

/// The grant that makes this member the owner of a new project.
fn ownership(project: ProjectId, member: &Record<Member>) -> Grant {
    Grant {
        project_id: project,
        principal: Principal::User(member.id),
        membership_id: Some(member.body.membership_id),
        role: ProjectRole::Owner,
        expires_at: None,
        revoked: None,
    }
}

impl UseCase for CreateProject {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(ProjectRecords::asks(self.id(context), context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let id = self.id(context);
        let mut records = ProjectRecords::load(facts, id, context.user())?;
        let standing = records.standing.access();
        let permit = standing.permit_new_project(id)?;
        let member = standing.membership().ok_or_else(Problem::not_found)?;
        if records.head.is_some() {
            return Err(Problem::conflict(
                "this `Idempotency-Key` made a project more than a day ago; send a new key",
            ));
        }
        let mut commit = Commit::open(context, permit, None);
        let project = commit.create(id, self.project());
        let grant = commit.create(context.env.id("grant"), ownership(id, member));
        records.project = Some(project.clone());
        records.grants = vec![grant];
        let reply = reply(&project, &records.access(context.env.now));
        commit.finish(EventType::ProjectCreated, reply)
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.id(context)))
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, made: &[Key]) -> Result<Reply, Problem> {
        let id = self.id(context);
        let records = ProjectRecords::load(facts, id, context.user())?;
        records.standing.access().permit_new_project(id)?;
        let project = view::replayed(facts, made, 0)?;
        let access = records.access(context.env.now);
        access.check(Capability::ProjectView)?;
        Ok(reply(&project, &access))
    }
}
