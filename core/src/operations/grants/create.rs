//! `POST /v1/projects/{project}/grants`

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    GrantView, Proposal,
    proposal::{Recipient, heads, mark_owning_team},
};
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema, view},
    authority::{ProjectRecords, head_key, settle},
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Grant, Principal, Record},
    permission::{Capability, ProjectRole},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
    value::{ProjectId, Timestamp},
};

/// Grants a role on a project to a person or a team.
#[derive(Debug)]
struct CreateGrant {
    project: ProjectId,
    input: Proposal,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/grants",
    "create_grant",
    "Grants a role on a project to a member or a team; grants of one principal add up",
    parse,
)
.takes(schema::<Proposal>)
.answers(&[(201, Some(schema::<GrantView>))])
.refuses(&[ProblemKind::Escalation, ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateGrant {
        project: request.path("project")?,
        input: request.body()?,
    }))
}

fn reply(grant: &Record<Grant>, now: Timestamp) -> Reply {
    view::created(grant, &GrantView::at(grant, now))
}

fn check_limit(grants: &[Record<Grant>]) -> Result<(), Problem> {
    if grants.len() < Grant::LIVE_LIMIT {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "the project has {} grants, the most there can be; expired ones count until they are revoked",
        Grant::LIVE_LIMIT
    )))
}

impl CreateGrant {
    fn makes_owning_team(&self) -> bool {
        matches!(self.input.principal, Principal::Team(_)) && self.input.role == ProjectRole::Owner
    }
}

impl UseCase for CreateGrant {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let heads = heads(self.project, self.makes_owning_team());
        if heads.iter().any(|head| !facts.has(head)) {
            return Ok(heads);
        }
        let mut asks = ProjectRecords::asks(self.project, context.user());
        let account = self.project.account();
        asks.extend(Recipient::asks(account, self.input.principal));
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let recipient = Recipient::load(facts, self.project.account(), self.input.principal)?;
        let (permit, recipient) = settle(
            access.permit(self.project, Capability::GrantManage),
            self.input.check(&access, recipient, ""),
        )?;
        check_limit(&records.grants)?;
        if self.makes_owning_team()
            && let Some(first) =
                mark_owning_team(context, facts, &access, self.project, &recipient)?
        {
            return Ok(first);
        }
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head);
        let grant = self.input.grant(self.project, &recipient);
        let grant = commit.create(context.env.id("grant"), grant);
        commit.finish(EventType::GrantCreated, reply(&grant, context.env.now))
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
        let access = ProjectRecords::load(facts, self.project, context.user())?;
        // What is shown is what a reader of grants sees; the project may be archived by now.
        access
            .access(context.env.now)
            .check(Capability::GrantView)?;
        let grant = view::replayed(facts, records, 0)?;
        Ok(reply(&grant, context.env.now))
    }
}
