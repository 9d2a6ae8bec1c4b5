use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Body, Family, IndexContext, PermissionFacts, Usage};
use crate::{
    storage::{IndexKeys, IndexRows, Key, Scope, Sort},
    value::{GrantId, MembershipId, Principal, ProjectId, ProjectRole, Reason, Timestamp, UserId},
};

/// The role of one person or one team on a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Grant {
    pub project_id: ProjectId,
    /// The person or team that receives the role.
    pub principal: Principal,
    /// For a person, the stay in the account for which the grant was made. A later stay does not
    /// revive it.
    pub membership_id: Option<MembershipId>,
    /// The role granted.
    pub role: ProjectRole,
    /// The time from which the grant confers nothing. `None` means no expiry.
    pub expires_at: Option<Timestamp>,
    /// Set when the grant is revoked. The record stays.
    pub revoked: Option<Revocation>,
}

/// The end of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The time of the revocation.
    pub at: Timestamp,
    /// The person who revoked the grant. `None` if the grant ended with the deletion of its team.
    pub by: Option<UserId>,
    /// The reason, if one was given.
    pub reason: Option<Reason>,
}

impl Grant {
    /// The maximum number of live grants on a project.
    pub const LIVE_LIMIT: usize = 500;

    /// Whether the grant confers its role at `now`: it is neither revoked nor expired.
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

    fn index(&self, id: &GrantId, context: &IndexContext) -> IndexKeys {
        let mut index = IndexKeys::default();
        if self.revoked.is_none() {
            IndexRows::grants_to(self.principal).put(&mut index, id);
            let in_project = IndexRows::grants_of_project(self.project_id);
            in_project.put_at(&mut index, context.updated_at, id);
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

    fn history_key(&self, id: &GrantId) -> String {
        Sort::grant_history_key(*id)
    }

    fn usage(&self) -> Usage {
        Usage {
            grants: u64::from(self.revoked.is_none()),
            ..Usage::default()
        }
    }
}
