//! Whom a grant is for.

use alloc::string::{String, ToString};
use core::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{TeamId, UserId};

/// Whom a grant is for.
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
    /// Everybody in a team.
    Team(TeamId),
    /// One person.
    User(UserId),
}

impl Principal {
    /// The id alone, whose prefix tells which it is.
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
