//! `DELETE /v1/accounts/{account}/invitations/{invitation}`

use alloc::{boxed::Box, vec::Vec};

use super::{Named, check_pending};
use crate::{
    api::{IfMatch, Method, Parsed, Precondition, Problem, ProblemKind, Route},
    authority::AccountRecords,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Invitation, InvitationStatus},
    storage::Scope,
    use_case::{Outcome, Reply, UseCase},
};

/// Takes an invitation back: its tokens are dead from then on. The record stays.
struct RevokeInvitation {
    named: Named,
    if_match: IfMatch,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Delete,
    "/v1/accounts/{account}/invitations/{invitation}",
    "revoke_invitation",
    "Takes an invitation back",
    parse,
)
.answers(&[(204, None)])
.precondition(Precondition::Optional)
.refuses(&[ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    Ok(Box::new(RevokeInvitation {
        named: Named::parse(request)?,
        if_match: request.if_match()?,
    }))
}

impl UseCase for RevokeInvitation {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let first = self.named.first_asks();
        if !facts.has_all(&first) {
            return Ok(first);
        }
        Ok(AccountRecords::asks(self.named.account, context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, invitation) = self.named.load(context, facts)?;
        self.if_match.honour(Some(&invitation.etag()))?;
        check_pending(&invitation)?;
        let mut commit = Commit::open(context, permit, self.named.head(facts)?);
        let body = Invitation {
            status: InvitationStatus::Revoked,
            ..invitation.body.clone()
        };
        commit.update(&invitation, body);
        commit.finish(EventType::InvitationRevoked, Reply::no_content())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.named.scope())
    }
}
