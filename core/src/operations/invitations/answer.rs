//! Shared by accepting and declining: the token, its invitation, and the check of the recipient.

use alloc::{string::String, vec, vec::Vec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    operation::{
        Context, Facts, Problem, ProblemKind, ReadRequest, authority::head_key,
        invitation_token::InvitationToken,
    },
    permission::{InvitationAccess, InvitationRefusal, Permit},
    record::{Invitation, InvitationStatus, Record, User},
    storage::{Key, Scope, Sort},
    value::{AccountId, AccountRole, InvitationId},
};

/// The answer to an invitation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "InvitationAnswer")]
pub(super) struct Input {
    /// The token of the link in the mail.
    token: String,
}

/// An invitation, as its recipient sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AnsweredInvitation")]
pub(super) struct AnsweredView {
    id: InvitationId,
    account_id: AccountId,
    role: AccountRole,
    status: InvitationStatus,
}

pub(super) const ACCEPTED: &str = r#"{
  "id": "inv_01keavqf4ybmjx3vzcjzmzg8e2",
  "account_id": "acc_01kjdr7hbmxwc9att838g7qvrz",
  "role": "member",
  "status": "accepted"
}"#;

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
    /// Parses the token.
    ///
    /// # Errors
    /// 400 `invitation-invalid`.
    pub(super) fn token(&self, context: &Context<'_>) -> Result<InvitationToken, Problem> {
        InvitationToken::open(&self.token, &context.surface.secret)
    }

    /// The scope of the account, if the token is valid.
    pub(super) fn scope(&self, context: &Context<'_>) -> Option<Scope> {
        let token = self.token(context).ok()?;
        Some(Scope::Account(token.account))
    }

    /// The first reads: the account's head before other facts of the account, the invitation, and
    /// the caller's profile. The commit is conditional on the invitation, so it needs no second
    /// read.
    pub(super) fn first_reads(&self, context: &Context<'_>) -> Result<Vec<ReadRequest>, Problem> {
        let token = self.token(context)?;
        Ok(vec![
            ReadRequest::Get(head_key(Scope::Account(token.account))),
            ReadRequest::Get(token.key()),
            ReadRequest::Get(profile_key(context)),
        ])
    }

    /// The invitation as stored, in any state.
    pub(super) fn stored(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<Option<Record<Invitation>>, Problem> {
        Ok(facts.record(&self.token(context)?.key())?)
    }

    /// The invitation with the permit to answer it. It must be open, the token must be the latest
    /// one, and the caller must have proved the invited e-mail address.
    ///
    /// # Errors
    /// 400 `invitation-invalid`, 403 for another e-mail address.
    pub(super) fn open(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(Permit, Record<Invitation>), Problem> {
        let token = self.token(context)?;
        let invitation = self.stored(context, facts)?;
        let invitation = invitation
            .filter(|invitation| InvitationToken::of(invitation) == token)
            .ok_or_else(InvitationToken::refused)?;
        let profile: Option<Record<User>> = facts.record(&profile_key(context))?;
        let access = InvitationAccess {
            actor: &context.actor,
            profile: profile.as_ref(),
            invitation: &invitation,
            now: context.env.now,
        };
        let permit = access.permit().map_err(refused)?;
        Ok((permit, invitation))
    }
}

fn profile_key(context: &Context<'_>) -> Key {
    Scope::User(context.user()).key(Sort::user())
}

fn refused(refusal: InvitationRefusal) -> Problem {
    match refusal {
        InvitationRefusal::Closed => InvitationToken::refused(),
        InvitationRefusal::OtherRecipient => Problem::new(
            ProblemKind::Forbidden,
            "this invitation was sent to an e-mail address that is not your verified one; sign in with that address",
        ),
    }
}
