use alloc::{collections::BTreeSet, string::String};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, Member, MemberStatus, PermissionFacts, local};
use crate::{
    storage::{Key, Scope, Sort},
    value::{AccountId, AccountRole, Name, SurfaceId, TeamId, Timestamp, UserId},
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
    pub owners: BTreeSet<UserId>,
    /// Deleted teams. Their grants end with the deletion, while their member rows and grants are
    /// still being marked.
    pub retired_teams: BTreeSet<RetiredTeam>,
    /// The time at which an owner closed the account. Accounts closed in format 1 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The time at which the contents of the closed account were removed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purged_at: Option<Timestamp>,
    /// The time from which this surface changes nothing in the account, because it is being moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_at: Option<Timestamp>,
    /// The surface that serves the account instead of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
}

/// The surface to which an account was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The id of the surface.
    pub surface: SurfaceId,
    /// The public URL of the surface.
    pub url: String,
    /// The time of the move.
    pub at: Timestamp,
}

/// A deleted team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

    /// A new account with this owner.
    #[must_use]
    pub fn new(name: Name, kind: AccountKind, owner: UserId) -> Self {
        Self {
            name,
            kind,
            status: AccountStatus::Active,
            owners: BTreeSet::from([owner]),
            retired_teams: BTreeSet::new(),
            closed_at: None,
            purged_at: None,
            frozen_at: None,
            moved: None,
        }
    }

    /// The active owners after a change of this person's membership.
    #[must_use]
    pub fn owners_with(&self, user: UserId, member: &Member) -> BTreeSet<UserId> {
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
    const SCHEMA: u16 = 2;
    const LOCAL: &'static [local::Path] = &[&["frozen_at"], &["moved"]];
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
