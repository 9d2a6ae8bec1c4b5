//! Permission to answer an invitation.

use super::{Permit, right::Right};
use crate::{
    record::{Actor, Invitation, InvitationStatus, Record, User},
    storage::Scope,
    value::Timestamp,
};

/// The answer of one caller to one invitation.
#[derive(Debug, Clone, Copy)]
pub struct InvitationAccess<'a> {
    /// The caller.
    pub actor: &'a Actor,
    /// The caller's profile, with the e-mail address that they proved earlier.
    pub profile: Option<&'a Record<User>>,
    /// The invitation that the caller answers.
    pub invitation: &'a Record<Invitation>,
    /// The time of the answer.
    pub now: Timestamp,
}

/// The reason for refusing an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationRefusal {
    /// The invitation was answered, revoked or deleted, or it expired.
    Closed,
    /// It was sent to an e-mail address that the caller has not proved.
    OtherRecipient,
}

impl InvitationAccess<'_> {
    /// A permit to answer the invitation, and to join its account.
    ///
    /// # Errors
    /// [`InvitationRefusal`].
    pub fn permit(&self) -> Result<Permit, InvitationRefusal> {
        let invitation = &self.invitation.body;
        let open = !self.invitation.deleted
            && invitation.status == InvitationStatus::Pending
            && self.now < invitation.expires_at;
        if !open {
            return Err(InvitationRefusal::Closed);
        }
        let earlier = self.profile.and_then(|user| user.body.email.as_ref());
        let proved = [earlier, self.actor.claims.verified_email.as_ref()];
        if !proved.contains(&Some(&invitation.email)) {
            return Err(InvitationRefusal::OtherRecipient);
        }
        let scope = Scope::Account(invitation.account_id);
        Ok(Permit::of(self.actor.user, scope, Right::AnswerInvitation))
    }
}
