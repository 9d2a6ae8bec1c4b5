use alloc::format;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Body, Family, PermissionFacts, Record, envelope::Times};
use crate::{
    storage::{Index, IndexKey, IndexKeys, Key, Scope, Sort},
    value::{AccountId, Name, TeamId},
};

/// A team: people of an account to whom projects can be granted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// The account.
    pub account_id: AccountId,
    /// What it is called.
    pub name: Name,
    /// Whether a project may ever have been granted to it as owner. Raised before such a grant and
    /// never lowered: who adds people to the team must then be able to hand out ownership.
    pub may_own: bool,
    /// Set on deletion, until every member row and grant of the team is marked too.
    pub retiring: bool,
}

impl Team {
    /// How long after its deletion a team is left standing for stragglers: rows and grants that were
    /// written a moment before, which an index may show only later.
    pub const SETTLING: Duration = Duration::from_secs(60);
}

impl Record<Team> {
    /// Whether there is such a team, as far as anybody can see: one being retired is gone.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.deleted && !self.body.retiring
    }
}

impl Body for Team {
    const FAMILY: Family = Family::Team;
    type Id = TeamId;

    fn key(&self, id: &TeamId) -> Key {
        Scope::Account(self.account_id).key(Sort::team(*id))
    }

    fn index(&self, id: &TeamId, times: &Times) -> IndexKeys {
        let (account, created) = (self.account_id, times.created_at.millis());
        let mut index = IndexKeys::default();
        Index::Gsi1.put(
            &mut index,
            if self.retiring {
                let due = times.updated_at.after(Self::SETTLING);
                super::journal::work(&self.key(id), due)
            } else {
                IndexKey {
                    partition: format!("ACCOUNT#{account}"),
                    sort: format!("TEAM#{created:020}#{id}"),
                }
            },
        );
        index
    }

    fn permission_facts(&self) -> Option<PermissionFacts> {
        Some(PermissionFacts::default())
    }
}
