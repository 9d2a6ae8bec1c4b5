//! `PATCH /v1/projects/{project}/grants/{grant}`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    GrantView, asks, find, outranks,
    proposal::{Recipient, check_expiry, heads, mark_owning_team},
};
use crate::{
    api::{
        IfMatch, Method, Parsed, Precondition, Problem, ProblemKind, Route, nullable, schema, view,
    },
    authority::{ProjectRecords, head_key, settle},
    commit::Commit,
    context::Context,
    facts::{Ask, FactError, Facts},
    model::{EventType, Grant, Principal, Record},
    permission::{Access, Capability, ProjectRole},
    storage::{Range, Scope, Sort},
    use_case::{Outcome, UseCase},
    value::{GrantId, ProjectId, Timestamp},
};

/// Changes the role or the expiry of a grant.
#[derive(Debug)]
struct UpdateGrant {
    project: ProjectId,
    grant: GrantId,
    if_match: IfMatch,
    input: Input,
}

/// The body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GrantChange")]
struct Input {
    role: Option<ProjectRole>,
    /// Null makes it last.
    #[serde(default, deserialize_with = "nullable")]
    #[schemars(with = "Option<Timestamp>")]
    expires_at: Option<Option<Timestamp>>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/projects/{project}/grants/{grant}",
    "update_grant",
    "Changes the role or the expiry of a grant, which is granting anew",
    parse,
)
.takes(schema::<Input>)
.answers(&[(200, Some(schema::<GrantView>))])
.precondition(Precondition::Required)
.refuses(&[ProblemKind::Escalation, ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(UpdateGrant {
        project: request.path("project")?,
        grant: request.path("grant")?,
        if_match: request.if_match()?,
        input: request.body()?,
    }))
}

impl UpdateGrant {
    /// All live grants. Read beside the head, only to learn whom the grant is for, which never
    /// changes; everything the decision rests on is read after the head.
    fn hint(&self) -> Range {
        Range::all(Scope::Project(self.project), Sort::GRANTS)
    }

    fn principal(&self, facts: &Facts) -> Result<Option<Principal>, FactError> {
        let grants = Record::<Grant>::decode_all(&facts.scan(&self.hint())?.items)?;
        let grant = grants.into_iter().find(|grant| grant.id == self.grant);
        Ok(grant.map(|grant| grant.body.principal))
    }

    fn makes_owner(&self) -> bool {
        self.input.role == Some(ProjectRole::Owner)
    }

    /// The grant as it is and as it shall be.
    fn change(
        &self,
        access: &Access<'_>,
        grant: Option<Record<Grant>>,
    ) -> Result<(Record<Grant>, Grant), Problem> {
        let before = grant.ok_or_else(Problem::not_found)?;
        let after = Grant {
            role: self.input.role.unwrap_or(before.body.role),
            expires_at: self.input.expires_at.unwrap_or(before.body.expires_at),
            ..before.body.clone()
        };
        outranks(access, before.body.role.max(after.role))?;
        check_expiry(self.input.expires_at.flatten(), access.now, "")?;
        self.if_match.require(&before.etag())?;
        Ok((before, after))
    }

    /// Changing a grant is granting: there must still be someone to have it.
    fn recipient(&self, facts: &Facts, grant: &Grant) -> Result<Recipient, Problem> {
        if grant.revoked.is_some() {
            return Err(Problem::conflict("the grant is revoked; make a new one"));
        }
        let recipient = Recipient::load(facts, self.project.account(), grant.principal)?;
        recipient
            .filter(|recipient| recipient.membership() == grant.membership_id)
            .ok_or_else(|| {
                Problem::conflict(
                    "the grant is for someone who is no active member now; revoke it instead",
                )
            })
    }
}

impl UseCase for UpdateGrant {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let mut first = heads(self.project, self.makes_owner());
        first.push(Ask::Scan(self.hint()));
        if first.iter().any(|ask| !facts.has(ask)) {
            return Ok(first);
        }
        let mut asks = asks(self.project, self.grant, context.user());
        let account = self.project.account();
        if let Some(principal) = self.principal(facts)? {
            asks.extend(Recipient::asks(account, principal));
        }
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let grant = find(facts, &records, self.project, self.grant)?;
        let (permit, (before, after)) = settle(
            access.permit(self.project, Capability::GrantManage),
            self.change(&access, grant),
        )?;
        let recipient = self.recipient(facts, &before.body)?;
        let shown = |grant| view::shown(grant, &GrantView::at(grant, access.now));
        if after == before.body {
            return Ok(Outcome::Reply(shown(&before)));
        }
        if self.makes_owner()
            && let Some(first) =
                mark_owning_team(context, facts, &access, self.project, &recipient)?
        {
            return Ok(first);
        }
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head);
        let grant = commit.update(&before, after);
        commit.finish(EventType::GrantUpdated, shown(&grant))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }
}
