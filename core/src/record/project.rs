use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, IndexContext, PermissionFacts};
use crate::{
    storage::{IndexKeys, IndexRows, Key, Scope, Sort},
    value::{Description, Name, ProjectId, Timestamp},
};

/// A project. It contains documents, and roles are granted on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The display name.
    pub name: Name,
    /// An optional description.
    pub description: Option<Description>,
    /// The people who see the project without a grant.
    pub visibility: Visibility,
    /// Whether the project is read-only.
    pub archived: bool,
    /// The time at which the project was deleted. Projects deleted in format 1 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// The time at which the contents of the deleted project were removed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purged_at: Option<Timestamp>,
}

/// The people who see a project without a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only admins and owners of the account.
    Private,
    /// All members of the account, as viewers. Guests are excluded.
    Account,
}

impl Project {
    /// A new project.
    #[must_use]
    pub fn new(name: Name, description: Option<Description>, visibility: Visibility) -> Self {
        Self {
            name,
            description,
            visibility,
            archived: false,
            deleted_at: None,
            purged_at: None,
        }
    }
}

impl Body for Project {
    const FAMILY: Family = Family::Project;
    const SCHEMA: u16 = 2;
    const KEEPS_HISTORY: bool = true;
    type Id = ProjectId;

    fn key(&self, id: &ProjectId) -> Key {
        Scope::Project(*id).key(Sort::project())
    }

    fn index(&self, id: &ProjectId, context: &IndexContext) -> IndexKeys {
        let mut index = IndexKeys::default();
        IndexRows::projects_of_account(id.account()).put_at(&mut index, context.created_at, id);
        index
    }

    fn permission_facts(&self) -> Option<PermissionFacts> {
        let visibility = match self.visibility {
            Visibility::Private => "private",
            Visibility::Account => "account",
        };
        let status = if self.archived { "archived" } else { "active" };
        Some(PermissionFacts {
            role: Some(visibility.into()),
            status: Some(status.into()),
            ..PermissionFacts::default()
        })
    }
}
