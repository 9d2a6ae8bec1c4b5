use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, Member, MemberStatus, PermissionFacts};
use crate::{
    storage::{Key, Scope, Sort},
    value::{AccountId, AccountRole, Name, TeamId, UserId},
};

/// An account of an organisation, a consultancy or one person. Members, teams and projects belong
/// to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Account {
    /// The display name.
    pub name: Name,
    pub kind: AccountKind,
    /// Active or closed.
    pub status: AccountStatus,
    /// The active owners. They are stored here so that a commit can keep at least one owner with a
    /// condition on this record alone.
    pub owners: Vec<UserId>,
    /// Deleted teams. Their grants end with the deletion, while their member rows and grants are
    /// still being marked.
    pub retired_teams: Vec<RetiredTeam>,
}

/// A deleted team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetiredTeam(pub TeamId);

/// The kind of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A company, an association or an office.
    Organisation,
    /// A consultancy that also works in the accounts of others.
    Consulting,
    /// The account of one person.
    Personal,
}

/// The state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// The account is in use.
    Active,
    /// An owner closed the account. All access to it has ended.
    Closed,
}

impl Account {
    /// The maximum number of deleted teams of one account.
    pub const RETIRED_TEAMS: usize = 2000;

    /// The active owners after a change of this person's membership.
    #[must_use]
    pub fn owners_with(&self, user: UserId, member: &Member) -> Vec<UserId> {
        let owns = member.role == AccountRole::Owner && member.status == MemberStatus::Active;
        let others = self.owners.iter().copied().filter(|owner| *owner != user);
        others.chain(owns.then_some(user)).collect()
    }

    /// Whether the account once had this team and deleted it.
    #[must_use]
    pub fn has_retired(&self, team: TeamId) -> bool {
        self.retired_teams.contains(&RetiredTeam(team))
    }
}

impl Body for Account {
    const FAMILY: Family = Family::Account;
    const KEEPS_HISTORY: bool = true;
    type Id = AccountId;

    fn key(&self, id: &AccountId) -> Key {
        Scope::Account(*id).key(Sort::account())
    }

    fn permission_facts(&self) -> Option<PermissionFacts> {
        let status = match self.status {
            AccountStatus::Active => "active",
            AccountStatus::Closed => "closed",
        };
        Some(PermissionFacts {
            status: Some(status.into()),
            ..PermissionFacts::default()
        })
    }
}
