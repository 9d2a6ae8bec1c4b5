//! Receivers of grants.

use alloc::string::{String, ToString};
use core::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TeamId, UserId};

/// The receiver of a grant: a person or a team.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(
    tag = "type",
    content = "id",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum Principal {
    /// All members of a team.
    Team(TeamId),
    /// A person.
    User(UserId),
}

impl Principal {
    /// The id. Its prefix tells whether it is a team or a person.
    #[must_use]
    pub fn id_text(self) -> String {
        match self {
            Self::Team(team) => team.to_string(),
            Self::User(user) => user.to_string(),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.id_text())
    }
}
