//! Invitations to an account.

use serde::{Deserialize, Serialize};
use wm_core::{
    record::InvitationStatus,
    value::{AccountId, AccountRole, Email, InvitationId, ProjectId, Timestamp},
};

use super::{Revision, accounts::Member};
use crate::{client::Client, error::ApiError};

/// An invitation to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewInvitation {
    /// The e-mail address to invite.
    pub email: Email,
    /// The role that the invited person receives.
    pub role: AccountRole,
}

/// An invitation. Only the mail contains its token; no answer does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Invitation {
    pub id: InvitationId,
    #[serde(flatten)]
    pub revision: Revision,
    /// The invited e-mail address.
    pub email: Email,
    /// The role that the invited person receives.
    pub role: AccountRole,
    /// The expiry of the invitation.
    pub expires_at: Timestamp,
    /// The state of the invitation.
    pub status: InvitationStatus,
}

/// The outcome of accepting an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AcceptedInvitation {
    /// The account the caller now belongs to.
    pub account_id: AccountId,
    /// The caller's membership.
    pub member: Member,
    /// The projects whose grants are not made yet.
    pub pending: Vec<ProjectId>,
}

/// The token of an invitation, for accepting or declining it. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct InvitationAnswer {
    token: String,
}

impl InvitationAnswer {
    /// An answer to the invitation with this token.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
        }
    }
}

impl std::fmt::Debug for InvitationAnswer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("InvitationAnswer(…)")
    }
}

impl Client {
    /// Invites a person to an account by mail.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn invite(
        &self,
        account: AccountId,
        invitation: &NewInvitation,
    ) -> Result<Invitation, ApiError> {
        let path = format!("/v1/accounts/{account}/invitations");
        self.post(&path, invitation).await
    }

    /// Accepts an invitation as the caller.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn accept_invitation(
        &self,
        answer: &InvitationAnswer,
    ) -> Result<AcceptedInvitation, ApiError> {
        self.post("/v1/invitations/accept", answer).await
    }
}
