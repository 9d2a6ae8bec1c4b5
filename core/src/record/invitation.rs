use alloc::{format, vec::Vec};
use core::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, envelope::Times};
use crate::{
    storage::{Index, IndexKey, IndexKeys, Key, Scope, Sort},
    value::{
        AccountId, AccountRole, Email, GrantId, InvitationId, ProjectId, ProjectRole, Sha256,
        TeamId, Timestamp, UserId,
    },
};

/// An offer to join an account, bound to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// The account.
    pub account_id: AccountId,
    /// The address it was sent to; only who proves it can accept.
    pub email: Email,
    /// The surface's keyed hash of the address, for the index.
    pub email_hash: Sha256,
    /// The account role offered.
    pub role: AccountRole,
    /// Teams joined on acceptance.
    pub teams: Vec<TeamId>,
    /// Projects granted on acceptance.
    pub project_grants: Vec<ProjectGrant>,
    /// Who offers; their authority is checked again on acceptance and caps what is given.
    pub invited_by: UserId,
    /// When the offer ends.
    pub expires_at: Timestamp,
    /// Raised by every resending; a token of another rotation is dead.
    pub rotation: u32,
    /// Where it stands.
    pub status: InvitationStatus,
    /// Who accepted or declined.
    pub answered_by: Option<UserId>,
    /// Grants still to be made after acceptance; empty otherwise.
    pub pending_grants: Vec<ProjectGrant>,
    /// Random, so that the checksum in the journal tells nothing about the address.
    pub salt: Sha256,
}

/// A project role offered with an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectGrant {
    /// The project.
    pub project_id: ProjectId,
    /// The role.
    pub role: ProjectRole,
    /// The id the grant will have, fixed in advance so that making it twice makes it once.
    pub grant_id: GrantId,
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    /// Waiting for an answer.
    Pending,
    /// Accepted.
    Accepted,
    /// Declined by the invited person.
    Declined,
    /// Taken back.
    Revoked,
}

impl Invitation {
    /// How long the request that accepted it has to make the grants before the sweep does.
    pub const FINISHING: Duration = Duration::from_secs(60);
}

impl Body for Invitation {
    const FAMILY: Family = Family::Invitation;
    type Id = InvitationId;

    fn key(&self, id: &InvitationId) -> Key {
        Scope::Account(self.account_id).key(Sort::invitation(*id))
    }

    fn index(&self, id: &InvitationId, times: &Times) -> IndexKeys {
        let mut index = IndexKeys::default();
        if self.status == InvitationStatus::Pending {
            let hash = self.email_hash;
            Index::Gsi3.put(
                &mut index,
                IndexKey {
                    partition: format!("EMAIL#{hash}"),
                    sort: format!("INVITE#{id}"),
                },
            );
        }
        if !self.pending_grants.is_empty() {
            let due = times.updated_at.after(Self::FINISHING);
            Index::Gsi1.put(&mut index, super::journal::work(&self.key(id), due));
        }
        index
    }
}
