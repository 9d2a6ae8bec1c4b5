//! Scopes: the partitions of the database.

use core::{fmt, str::FromStr};

use crate::value::{AccountId, Invalid, ProjectId, Sha256, UserId};

/// One partition of the database. A commit changes exactly one scope, all or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The profile and preferences of a person.
    User(UserId),
    /// The link from an issuer's subject to a person, keyed by the digest of issuer and subject.
    Identity(Sha256),
    /// The link from a verified e-mail address to a person, keyed by the surface's keyed hash of
    /// the address.
    Email(Sha256),
    /// An account with its members, teams and invitations.
    Account(AccountId),
    /// A project with its grants, artifacts and their records.
    Project(ProjectId),
    /// What belongs to the surface itself, such as the layout of its data.
    Surface,
}

impl fmt::Display for Scope {
    /// Writes the partition key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(formatter, "USER#{id}"),
            Self::Identity(digest) => write!(formatter, "IDENTITY#{digest}"),
            Self::Email(digest) => write!(formatter, "EMAIL#{digest}"),
            Self::Account(id) => write!(formatter, "ACCOUNT#{id}"),
            Self::Project(id) => write!(formatter, "PROJECT#{id}"),
            Self::Surface => formatter.write_str("SURFACE#"),
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
            "SURFACE" if id.is_empty() => Ok(Self::Surface),
            _ => Err(WRONG),
        }
    }
}

crate::value::string_value!(Scope, {});
