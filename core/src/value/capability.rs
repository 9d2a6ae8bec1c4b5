//! Capabilities and sets of them.

use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Invalid;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// A permission to do one kind of thing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Capability {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Capability {
            /// All capabilities, ordered by the role that adds them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The value in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

capabilities! {
    /// See that a project exists and read its name.
    ProjectView = "project.view";
    /// See documents, versions and derived outputs.
    ArtifactView = "artifact.view";
    /// Download the bytes of versions and derived outputs.
    ArtifactDownload = "artifact.download";
    /// See metadata records.
    MetadataView = "metadata.view";
    /// See write events.
    EventView = "event.view";
    /// Append write events.
    EventAppend = "event.append";
    /// Create documents.
    ArtifactCreate = "artifact.create";
    /// Rename and label documents.
    ArtifactEdit = "artifact.edit";
    /// Upload and restore versions.
    VersionCreate = "version.create";
    /// Upload derived outputs.
    DerivedCreate = "derived.create";
    /// Append metadata records.
    MetadataAppend = "metadata.append";
    /// Rename a project, change its description and visibility.
    ProjectEdit = "project.edit";
    /// See grants and the access of other people.
    GrantView = "grant.view";
    /// Create, change and revoke grants.
    GrantManage = "grant.manage";
    /// Delete and restore documents.
    ArtifactDelete = "artifact.delete";
    /// Read the journal.
    AuditView = "audit.view";
    /// Archive and unarchive a project.
    ProjectArchive = "project.archive";
    /// Delete a project.
    ProjectDelete = "project.delete";
    /// See an account.
    AccountView = "account.view";
    /// See the members of an account.
    MemberView = "member.view";
    /// See the teams of an account.
    TeamView = "team.view";
    /// Create projects in an account.
    ProjectCreate = "project.create";
    /// Rename an account.
    AccountEdit = "account.edit";
    /// Change and remove the members of an account.
    MemberManage = "member.manage";
    /// Create, rename and delete teams, and manage their members.
    TeamManage = "team.manage";
    /// Invite people to an account.
    InviteManage = "invite.manage";
    /// Close an account.
    AccountDelete = "account.delete";
}

impl FromStr for Capability {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.iter().find(|known| known.as_str() == text);
        found
            .copied()
            .ok_or(Invalid("must be a capability such as `artifact.edit`"))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A set of capabilities, stored as one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Capabilities(u32);

impl Capabilities {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// The set of these capabilities.
    #[must_use]
    pub const fn of(list: &[Capability]) -> Self {
        let mut bits = 0;
        let mut rest = list;
        while let [first, others @ ..] = rest {
            bits |= 1 << *first as u32;
            rest = others;
        }
        Self(bits)
    }

    /// Capabilities in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Capabilities in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Capabilities in this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set contains the capability.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u32) != 0
    }

    /// Whether this set contains all capabilities of the other.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether the set contains no capability.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The capabilities, in the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL
            .iter()
            .copied()
            .filter(move |capability| self.has(*capability))
    }
}

impl Serialize for Capabilities {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl JsonSchema for Capabilities {
    fn schema_name() -> Cow<'static, str> {
        "Capabilities".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<Capability>::json_schema(generator)
    }
}
