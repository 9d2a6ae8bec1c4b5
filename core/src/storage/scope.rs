//! Scopes: the partitions a commit stays inside.

use core::{fmt, str::FromStr};

use crate::value::{AccountId, Invalid, ProjectId, Sha256, UserId};

/// One partition of the database. A commit touches exactly one, all or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// A person's profile and preferences.
    User(UserId),
    /// The link from an issuer's subject to the person, under the digest of both.
    Identity(Sha256),
    /// The link from a proved address to the person, under the surface's keyed hash of the address.
    Email(Sha256),
    /// An account with its members, teams and invitations.
    Account(AccountId),
    /// A project with its grants, artifacts and all that hangs on them.
    Project(ProjectId),
}

impl Scope {
    /// Whether commits in it are journalled. The link scopes hold one record each, created once.
    #[must_use]
    pub fn is_journalled(self) -> bool {
        !matches!(self, Self::Identity(_) | Self::Email(_))
    }
}

impl fmt::Display for Scope {
    /// The partition key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(formatter, "USER#{id}"),
            Self::Identity(digest) => write!(formatter, "IDENTITY#{digest}"),
            Self::Email(digest) => write!(formatter, "EMAIL#{digest}"),
            Self::Account(id) => write!(formatter, "ACCOUNT#{id}"),
            Self::Project(id) => write!(formatter, "PROJECT#{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid = Invalid("must be the partition key of a scope");
        let (kind, id) = text.split_once('#').ok_or(WRONG)?;
        match kind {
            "USER" => id.parse().map(Self::User),
            "IDENTITY" => id.parse().map(Self::Identity),
            "EMAIL" => id.parse().map(Self::Email),
            "ACCOUNT" => id.parse().map(Self::Account),
            "PROJECT" => id.parse().map(Self::Project),
            _ => Err(WRONG),
        }
    }
}

crate::value::string_value!(Scope, {});
