//! `POST /v1/invitations/decline`

use alloc::{boxed::Box, vec::Vec};

use super::answer::{AnsweredView, Input};
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema},
    authority::head_key,
    canonical,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    invitation_token::InvitationToken,
    model::{EventType, Invitation, InvitationStatus, Record},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
};

/// Declines an invitation.
struct DeclineInvitation {
    input: Input,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/invitations/decline",
    "decline_invitation",
    "Declines an invitation sent to the caller's address",
    parse,
)
.takes(schema::<Input>)
.answers(&[(200, Some(schema::<AnsweredView>))])
.refuses(&[ProblemKind::InvitationInvalid, ProblemKind::Forbidden]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let input = request.body()?;
    Ok(Box::new(DeclineInvitation { input }))
}

fn reply(invitation: &Record<Invitation>) -> Reply {
    Reply::ok(canonical::to_value(&AnsweredView::from(invitation)))
}

impl UseCase for DeclineInvitation {
    fn needs(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<Ask>, Problem> {
        self.input.first_asks(context)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, invitation) = self.input.open(context, facts)?;
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head);
        let body = Invitation {
            status: InvitationStatus::Declined,
            answered_by: Some(context.user()),
            ..invitation.body.clone()
        };
        let invitation = commit.update(&invitation, body);
        commit.finish(EventType::InvitationDeclined, reply(&invitation))
    }

    fn writes(&self, context: &Context<'_>) -> Option<Scope> {
        self.input.scope(context)
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        let invitation = self.input.stored(context, facts)?;
        let own = |invitation: &Record<Invitation>| {
            invitation.body.status == InvitationStatus::Declined
                && invitation.body.answered_by == Some(context.user())
        };
        let invitation = invitation.filter(own);
        Ok(reply(&invitation.ok_or_else(InvitationToken::refused)?))
    }
}
