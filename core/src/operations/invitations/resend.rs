//! `POST /v1/accounts/{account}/invitations/{invitation}/resend`

use alloc::{boxed::Box, vec::Vec};

use super::{InvitationView, LIFETIME, Named, check_pending, offer::Offer};
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema, view},
    authority::AccountRecords,
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Invitation, Record},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
};

/// Sends an invitation again. That kills earlier tokens, revives an expired invitation for another
/// 14 days, and makes the offer anew: whoever sends it must be able to hand out all of it, and is the
/// one whose authority counts on acceptance.
struct ResendInvitation {
    named: Named,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/accounts/{account}/invitations/{invitation}/resend",
    "resend_invitation",
    "Sends an invitation again; earlier tokens are dead",
    parse,
)
.answers(&[(200, Some(schema::<InvitationView>))])
.refuses(&[ProblemKind::Conflict, ProblemKind::Escalation]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    request.no_body()?;
    let named = Named::parse(request)?;
    Ok(Box::new(ResendInvitation { named }))
}

fn sent_again(context: &Context<'_>, invitation: &Invitation) -> Result<Invitation, Problem> {
    let rotation = invitation.rotation.checked_add(1);
    let now = context.env.now;
    let end = invitation.expires_at;
    Ok(Invitation {
        rotation: rotation
            .ok_or_else(|| Problem::conflict("it was sent too often; make a new invitation"))?,
        expires_at: if now < end { end } else { now.after(LIFETIME) },
        invited_by: context.user(),
        ..invitation.clone()
    })
}

fn reply(invitation: &Record<Invitation>) -> Reply {
    view::shown(invitation, &InvitationView::from(invitation))
}

impl UseCase for ResendInvitation {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let first = self.named.first_asks();
        if !facts.has_all(&first) {
            return Ok(first);
        }
        Ok(match self.named.found(facts)? {
            Some(invitation) => Offer::from(&invitation.body).asks(context.user()),
            None => AccountRecords::asks(self.named.account, context.user()),
        })
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let (permit, invitation) = self.named.load(context, facts)?;
        let records = AccountRecords::load(facts, self.named.account, context.user())?;
        Offer::from(&invitation.body).check_authority(context, facts, &records.access())?;
        check_pending(&invitation)?;
        let mut commit = Commit::open(context, permit, self.named.head(facts)?);
        let invitation = commit.update(&invitation, sent_again(context, &invitation.body)?);
        commit.finish(EventType::InvitationResent, reply(&invitation))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.named.scope())
    }

    fn replay(&self, context: &Context<'_>, facts: &Facts, _: &[Key]) -> Result<Reply, Problem> {
        let (_, invitation) = self.named.load(context, facts)?;
        Ok(reply(&invitation))
    }
}
