use alloc::{format, string::String};

use serde::{Deserialize, Serialize};

use super::{Body, Family, PermissionFacts, envelope::Times};
use crate::{
    storage::{Index, IndexKey, IndexKeys, Key, Scope, Sort},
    value::{GrantId, MembershipId, Principal, ProjectId, ProjectRole, Reason, Timestamp, UserId},
};

/// A role on a project for one person or one team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The project.
    pub project_id: ProjectId,
    /// Whom it is for.
    pub principal: Principal,
    /// For a person, the stay in the account it was made for; another stay does not revive it.
    pub membership_id: Option<MembershipId>,
    /// The role.
    pub role: ProjectRole,
    /// From this moment on it confers nothing.
    pub expires_at: Option<Timestamp>,
    /// Set once it is revoked; the record stays.
    pub revoked: Option<Revocation>,
}

/// How a grant ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// By whom; `None` when the team it was for was deleted.
    pub by: Option<UserId>,
    /// Why, if they said.
    pub reason: Option<Reason>,
}

impl Grant {
    /// The most live grants a project may have.
    pub const LIVE_LIMIT: usize = 500;

    /// Whether it still confers its role: not revoked, and `now` is before its expiry.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl Body for Grant {
    const FAMILY: Family = Family::Grant;
    const KEEPS_HISTORY: bool = true;
    type Id = GrantId;

    fn key(&self, id: &GrantId) -> Key {
        Scope::Project(self.project_id).key(match self.revoked {
            None => Sort::grant(self.principal, *id),
            Some(_) => Sort::revoked_grant(*id),
        })
    }

    fn index(&self, id: &GrantId, times: &Times) -> IndexKeys {
        let mut index = IndexKeys::default();
        if self.revoked.is_none() {
            let (position, partition) = match self.principal {
                Principal::Team(team) => (Index::Gsi2, format!("TEAM#{team}")),
                Principal::User(user) => (Index::Gsi3, format!("USER#{user}")),
            };
            position.put(
                &mut index,
                IndexKey {
                    partition,
                    sort: format!("GRANT#{id}"),
                },
            );
            let (project, updated) = (self.project_id, times.updated_at.millis());
            Index::Gsi4.put(
                &mut index,
                IndexKey {
                    partition: format!("PROJECT#{project}"),
                    sort: format!("GRANT#{updated:020}#{id}"),
                },
            );
        }
        index
    }

    fn permission_facts(&self) -> Option<PermissionFacts> {
        Some(PermissionFacts {
            role: Some(self.role.as_str().into()),
            principal: Some(self.principal),
            expires_at: self.expires_at,
            status: Some(
                if self.revoked.is_some() {
                    "revoked"
                } else {
                    "live"
                }
                .into(),
            ),
        })
    }

    fn history_place(&self, id: &GrantId) -> String {
        format!("GRANT#{id}")
    }
}
