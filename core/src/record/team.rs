use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Body, Family, IndexContext, PermissionFacts, Record, Usage};
use crate::{
    storage::{IndexKeys, IndexRows, Key, Scope, Sort, Work},
    value::{AccountId, Name, TeamId},
};

/// A team: people of one account to whom a project can be granted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Team {
    pub account_id: AccountId,
    /// The display name.
    pub name: Name,
    /// Whether the team may have received a project role of owner. The flag is set before such a
    /// grant and never cleared: after that, only people who can grant ownership can add members to
    /// the team.
    pub may_own: bool,
    /// Whether the team is deleted and its member rows and grants are still being marked.
    pub retiring: bool,
}

impl Team {
    /// The time for which a deleted team stays in the work index. In that time, rows and grants
    /// that were written just before the deletion appear in the indexes.
    pub const INDEX_DELAY: Duration = Duration::from_secs(60);
}

impl Record<Team> {
    /// Whether the team exists for users. A team that is being retired does not.
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

    fn index(&self, id: &TeamId, context: &IndexContext) -> IndexKeys {
        let mut index = IndexKeys::default();
        if self.retiring {
            let (key, due) = (self.key(id), context.applied_at.after(Self::INDEX_DELAY));
            context
                .work
                .row(Work::Teams, &key)
                .put_at(&mut index, due, &key);
        } else {
            let in_account = IndexRows::teams_of_account(self.account_id);
            in_account.put_at(&mut index, context.created_at, id);
        }
        index
    }

    fn permission_facts(&self) -> Option<PermissionFacts> {
        Some(PermissionFacts::default())
    }

    fn usage(&self) -> Usage {
        Usage {
            teams: u64::from(!self.retiring),
            ..Usage::default()
        }
    }
}
