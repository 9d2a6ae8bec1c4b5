use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, Member, MemberStatus, PermissionFacts};
use crate::{
    storage::{Key, Scope, Sort},
    value::{AccountId, AccountRole, Name, TeamId, UserId},
};

/// An account: an organisation, a consultancy or one person, with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub kind: AccountKind,
    /// Whether it is in use.
    pub status: AccountStatus,
    /// The active owners, so that "there is always one" is a condition on this one record.
    pub owners: Vec<UserId>,
    /// Deleted teams: cut off from this commit on, while their rows and grants are still being marked.
    pub retired_teams: Vec<RetiredTeam>,
}

/// A deleted team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetiredTeam(pub TeamId);

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A company, association or office.
    Organisation,
    /// A consultancy that works in others' accounts too.
    Consulting,
    /// One person's own.
    Personal,
}

/// Whether an account is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// In use.
    Active,
    /// Closed by an owner: nobody has access to anything in it.
    Closed,
}

impl Account {
    /// The most teams that may ever have been deleted in one account.
    pub const RETIRED_TEAMS: usize = 2000;

    /// The active owners once this person's membership is as given.
    #[must_use]
    pub fn owners_with(&self, user: UserId, member: &Member) -> Vec<UserId> {
        let owns = member.role == AccountRole::Owner && member.status == MemberStatus::Active;
        let others = self.owners.iter().copied().filter(|owner| *owner != user);
        others.chain(owns.then_some(user)).collect()
    }

    /// Whether a team was deleted.
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
