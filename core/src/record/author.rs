//! The author of a change.

use core::{fmt, str::FromStr};

use crate::value::{Invalid, UserId, string_value};

/// The author of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Author {
    /// A person.
    User(UserId),
    /// The system: an expiry, a verification or a step that finishes interrupted work.
    System,
}

impl fmt::Display for Author {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(formatter),
            Self::System => formatter.write_str("system"),
        }
    }
}

impl FromStr for Author {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == "system" {
            Ok(Self::System)
        } else {
            text.parse().map(Self::User)
        }
    }
}

string_value!(Author, {});
