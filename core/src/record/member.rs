use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, IndexContext, PermissionFacts, Usage};
use crate::{
    storage::{IndexKeys, IndexRows, Key, Scope, Sort},
    value::{AccountId, AccountRole, InvitationId, MembershipId, TeamId, TeamRole, UserId},
};

/// The membership of a person in an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Member {
    pub account_id: AccountId,
    /// The id of this stay in the account. Grants and team rows name it, so a later stay does not
    /// revive them.
    pub membership_id: MembershipId,
    pub role: AccountRole,
    /// Active, suspended or removed.
    pub status: MemberStatus,
    /// The invitation through which the person joined. `None` for the person who created the
    /// account.
    pub invitation_id: Option<InvitationId>,
}

/// The state of a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// The membership gives access.
    Active,
    /// The membership gives no access until it is active again.
    Suspended,
    /// The membership has ended. A person who rejoins gets a new membership.
    Removed,
}

impl MemberStatus {
    /// The value in records and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }
}

impl Body for Member {
    const FAMILY: Family = Family::Member;
    const KEEPS_HISTORY: bool = true;
    type Id = UserId;

    fn key(&self, id: &UserId) -> Key {
        Scope::Account(self.account_id).key(Sort::member(*id))
    }

    fn index(&self, id: &UserId, _: &IndexContext) -> IndexKeys {
        let mut index = IndexKeys::default();
        if self.status != MemberStatus::Removed {
            let membership = self.membership_id;
            IndexRows::members_of_account(self.account_id).put(&mut index, membership);
            IndexRows::memberships_of_user(*id).put(&mut index, membership);
        }
        index
    }

    fn permission_facts(&self) -> Option<PermissionFacts> {
        Some(PermissionFacts {
            role: Some(self.role.as_str().into()),
            status: Some(self.status.as_str().into()),
            ..PermissionFacts::default()
        })
    }

    fn usage(&self) -> Usage {
        Usage {
            members: u64::from(self.status != MemberStatus::Removed),
            ..Usage::default()
        }
    }
}

/// The membership of a person in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct TeamMember {
    pub account_id: AccountId,
    pub team_id: TeamId,
    /// The stay in the account during which the person was added to the team. A later stay does not
    /// revive the row.
    pub membership_id: MembershipId,
    pub role: TeamRole,
}

impl Body for TeamMember {
    const FAMILY: Family = Family::TeamMember;
    const KEEPS_HISTORY: bool = true;
    type Id = UserId;

    fn key(&self, id: &UserId) -> Key {
        Scope::Account(self.account_id).key(Sort::team_member(*id, self.team_id))
    }

    fn index(&self, id: &UserId, context: &IndexContext) -> IndexKeys {
        let mut index = IndexKeys::default();
        IndexRows::members_of_team(self.team_id).put_at(&mut index, context.created_at, id);
        IndexRows::teams_of_user(*id).put(&mut index, self.team_id);
        index
    }

    fn permission_facts(&self) -> Option<PermissionFacts> {
        Some(PermissionFacts {
            role: Some(self.role.as_str().into()),
            ..PermissionFacts::default()
        })
    }
}
