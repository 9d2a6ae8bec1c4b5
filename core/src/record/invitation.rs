use alloc::vec::Vec;
use core::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, IndexContext, Usage, local};
use crate::{
    storage::{IndexKeys, IndexRows, Key, Scope, Sort, Work},
    value::{
        AccountId, AccountRole, Email, GrantId, InvitationId, ProjectId, ProjectRole, Sha256,
        TeamId, Timestamp, UserId,
    },
};

/// An offer to join an account, addressed to one e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Invitation {
    pub account_id: AccountId,
    /// The e-mail address it was sent to. Only a person who proved this address can accept.
    pub email: Email,
    /// The surface's keyed hash of the address, for the index.
    pub email_hash: Sha256,
    /// The offered role in the account.
    pub role: AccountRole,
    /// Teams that the person joins on acceptance.
    pub teams: Vec<TeamId>,
    /// Roles on projects that the person receives on acceptance.
    pub project_grants: Vec<ProjectGrant>,
    /// The inviter. Acceptance checks their authority again and never gives more than they could
    /// give.
    pub invited_by: UserId,
    /// The time at which the offer expires.
    pub expires_at: Timestamp,
    /// The number of times it was sent again. A token of an earlier sending is not accepted.
    pub rotation: u32,
    /// The state of the invitation.
    pub status: InvitationStatus,
    /// The person who accepted or declined.
    pub answered_by: Option<UserId>,
    /// Grants that are still to be made after acceptance. Otherwise empty.
    pub pending_grants: Vec<ProjectGrant>,
    /// Grants that were offered and could not be made after acceptance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_made: Vec<NotMade>,
    /// A random value. It keeps the checksum in the journal from revealing the e-mail address.
    pub salt: Sha256,
}

/// A project role that is offered with an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct ProjectGrant {
    pub project_id: ProjectId,
    /// The role offered.
    pub role: ProjectRole,
    /// The id that the grant will have. It is fixed in advance, so that a repeated attempt creates
    /// the grant once.
    pub grant_id: GrantId,
}

/// A grant of an accepted invitation that could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotMade {
    /// The project.
    pub project_id: ProjectId,
    /// The reason.
    pub reason: NotMadeReason,
}

/// The reason why a grant of an invitation could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotMadeReason {
    /// The person left the account before the grant was made.
    LeftAccount,
    /// The project is deleted, or the inviter no longer sees it.
    NoProject,
    /// The project is archived.
    ProjectArchived,
    /// The inviter may no longer give this role.
    InviterNotEntitled,
    /// The project has as many grants as it can have.
    ProjectFull,
}

/// The state of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    /// Not answered yet.
    Pending,
    /// The invited person joined the account.
    Accepted,
    /// The invited person declined.
    Declined,
    /// The account revoked the invitation.
    Revoked,
}

impl Invitation {
    /// The time that the accepting request has to make the grants. After that, the sweep makes
    /// them.
    pub const FINISHING: Duration = Duration::from_secs(60);
}

impl Body for Invitation {
    const FAMILY: Family = Family::Invitation;
    const SCHEMA: u16 = 2;
    const LOCAL: &'static [local::Path] = &[&["email_hash"]];
    type Id = InvitationId;

    fn key(&self, id: &InvitationId) -> Key {
        Scope::Account(self.account_id).key(Sort::invitation(*id))
    }

    fn index(&self, id: &InvitationId, context: &IndexContext) -> IndexKeys {
        let mut index = IndexKeys::default();
        if self.status == InvitationStatus::Pending {
            IndexRows::invitations_to(self.email_hash).put(&mut index, id);
        }
        if !self.pending_grants.is_empty() {
            let (key, due) = (self.key(id), context.applied_at.after(Self::FINISHING));
            context
                .work
                .row(Work::Invitations, &key)
                .put_at(&mut index, due, &key);
        }
        index
    }

    fn usage(&self) -> Usage {
        Usage {
            invitations: u64::from(self.status == InvitationStatus::Pending),
            ..Usage::default()
        }
    }
}
