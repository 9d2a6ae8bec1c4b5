//! `DELETE /v1/projects/{project}/grants/{grant}`

use alloc::{boxed::Box, vec::Vec};

use super::{asks, find, may_revoke, proposal::heads};
use crate::{
    api::{
        IfMatch, Method, Parsed, Precondition, Problem, ProblemKind, QueryParameter, Route, schema,
    },
    authority::{ProjectRecords, head_key, settle},
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Grant, Principal, Record, Revocation},
    permission::{Access, Capability},
    storage::Scope,
    use_case::{Outcome, Reply, UseCase},
    value::{GrantId, ProjectId, Reason},
};

/// Revokes a grant. The record stays, with who did it, when and why.
#[derive(Debug)]
struct RevokeGrant {
    project: ProjectId,
    grant: GrantId,
    reason: Option<Reason>,
    if_match: IfMatch,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/projects/{project}/grants/{grant}",
    "revoke_grant",
    "Revokes a grant, for good; everyone may give up their own. Revoking again changes nothing",
    parse,
)
.query(&[QueryParameter {
    name: "reason",
    description: "why, kept with the grant",
    schema: schema::<Reason>,
}])
.answers(&[(204, None)])
.precondition(Precondition::Optional)
.refuses(&[ProblemKind::Escalation, ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(RevokeGrant {
        project: request.path("project")?,
        grant: request.path("grant")?,
        reason: request.query("reason")?,
        if_match: request.if_match()?,
    }))
}

impl RevokeGrant {
    fn check(
        &self,
        access: &Access<'_>,
        grant: Option<Record<Grant>>,
    ) -> Result<Record<Grant>, Problem> {
        let grant = grant.ok_or_else(Problem::not_found)?;
        may_revoke(access, &grant.body)?;
        self.if_match.honour(Some(&grant.etag()))?;
        Ok(grant)
    }
}

impl UseCase for RevokeGrant {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let heads = heads(self.project, false);
        if heads.iter().any(|head| !facts.has(head)) {
            return Ok(heads);
        }
        Ok(asks(self.project, self.grant, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let grant = find(facts, &records, self.project, self.grant)?;
        let caller = Principal::User(context.user());
        let own = grant
            .as_ref()
            .is_some_and(|grant| grant.body.principal == caller);
        let asked = if own {
            access.permit_leaving(self.project)
        } else {
            access.permit(self.project, Capability::GrantManage)
        };
        let (permit, grant) = settle(asked, self.check(&access, grant))?;
        if grant.body.revoked.is_some() {
            return Ok(Outcome::Reply(Reply::no_content()));
        }
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head);
        let revocation = Revocation {
            at: commit.at(),
            by: Some(context.user()),
            reason: self.reason.clone(),
        };
        let body = grant.body.clone();
        let revoked = Some(revocation);
        commit.update(&grant, Grant { revoked, ..body });
        commit.finish(EventType::GrantRevoked, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }
}
