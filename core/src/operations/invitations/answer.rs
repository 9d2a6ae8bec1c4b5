//! What accepting and declining share: the token, the invitation behind it, and whose it is.

use alloc::{string::String, vec, vec::Vec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    operation::{
        Ask, Context, Facts, Problem, ProblemKind, authority::head_key,
        invitation_token::InvitationToken,
    },
    permission::Permit,
    record::{Invitation, InvitationStatus, Record, User},
    storage::{Scope, Sort},
    value::{AccountId, AccountRole, Email, InvitationId},
};

/// The body. It holds the token, so it is never printed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "InvitationAnswer")]
pub(super) struct Input {
    /// The token of the mailed link.
    token: String,
}

/// An invitation, as answered to whoever was invited.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AnsweredInvitation")]
pub(super) struct AnsweredView {
    id: InvitationId,
    account_id: AccountId,
    role: AccountRole,
    status: InvitationStatus,
}

impl From<&Record<Invitation>> for AnsweredView {
    fn from(record: &Record<Invitation>) -> Self {
        Self {
            id: record.id,
            account_id: record.body.account_id,
            role: record.body.role,
            status: record.body.status,
        }
    }
}

impl Input {
    /// What the token speaks of.
    ///
    /// # Errors
    /// 400 `invitation-invalid`.
    pub(super) fn token(&self, context: &Context<'_>) -> Result<InvitationToken, Problem> {
        InvitationToken::open(&self.token, &context.surface.secret)
    }

    /// The account's scope, if the token is genuine.
    pub(super) fn scope(&self, context: &Context<'_>) -> Option<Scope> {
        let token = self.token(context).ok()?;
        Some(Scope::Account(token.account))
    }

    /// What to read first: the account's head, before anything else of the account is; the
    /// invitation, which the commit conditions on anyway; and the caller's profile.
    pub(super) fn first_asks(&self, context: &Context<'_>) -> Result<Vec<Ask>, Problem> {
        let token = self.token(context)?;
        let profile = Scope::User(context.user()).key(Sort::user());
        Ok(vec![
            Ask::Get(head_key(Scope::Account(token.account))),
            Ask::Get(token.key()),
            Ask::Get(profile),
        ])
    }

    /// The invitation as stored, in whatever state it is.
    pub(super) fn stored(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<Option<Record<Invitation>>, Problem> {
        Ok(facts.record(&self.token(context)?.key())?)
    }

    /// The invitation, if it awaits an answer to this very token and the caller proved its address,
    /// and the permit to answer.
    ///
    /// # Errors
    /// 400 `invitation-invalid`, 403 for another address.
    pub(super) fn open(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, Record<Invitation>), Problem> {
        let invitation = self.stored(context, facts)?;
        let token = self.token(context)?;
        let awaits = |invitation: &Record<Invitation>| {
            !invitation.deleted
                && invitation.body.status == InvitationStatus::Pending
                && context.env.now < invitation.body.expires_at
                && InvitationToken::of(invitation) == token
        };
        let invitation = invitation.filter(awaits);
        let invitation = invitation.ok_or_else(InvitationToken::refused)?;
        check_address(context, facts, &invitation.body.email)?;
        let permit = Permit::invited(context.user(), token.account);
        Ok((permit, invitation))
    }
}

/// The caller proved the address: earlier, then it is in their profile, or with this very token.
fn check_address(context: &Context<'_>, facts: &Facts, invited: &Email) -> Result<(), Problem> {
    let profile = Scope::User(context.user()).key(Sort::user());
    let profile: Option<Record<User>> = facts.record(&profile)?;
    let earlier = profile.and_then(|user| user.body.email);
    let proved = [
        earlier.as_ref(),
        context.actor.claims.verified_email.as_ref(),
    ];
    if proved.contains(&Some(invited)) {
        return Ok(());
    }
    Err(Problem::new(
        ProblemKind::Forbidden,
        "this invitation was sent to an address you have not proved to be yours; sign in with it",
    ))
}
