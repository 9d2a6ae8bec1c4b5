//! Capabilities and sets of them.

use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Invalid;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// One thing a person may be able to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Capability {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Capability {
            /// Every capability, in the order of the roles that add them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in answers.
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
    /// See that a project exists and what it is called.
    ProjectView = "project.view";
    /// See artifacts, versions and derived outputs.
    ArtifactView = "artifact.view";
    /// Download bytes.
    ArtifactDownload = "artifact.download";
    /// See metadata records.
    MetadataView = "metadata.view";
    /// See write events.
    EventView = "event.view";
    /// Append write events.
    EventAppend = "event.append";
    /// Create artifacts.
    ArtifactCreate = "artifact.create";
    /// Rename and label artifacts.
    ArtifactEdit = "artifact.edit";
    /// Upload and restore versions.
    VersionCreate = "version.create";
    /// Upload derived outputs.
    DerivedCreate = "derived.create";
    /// Append metadata records.
    MetadataAppend = "metadata.append";
    /// Rename a project, describe it, change its visibility.
    ProjectEdit = "project.edit";
    /// See grants, and other people's access.
    GrantView = "grant.view";
    /// Make, change and revoke grants.
    GrantManage = "grant.manage";
    /// Delete and bring back artifacts.
    ArtifactDelete = "artifact.delete";
    /// Read the journal.
    AuditView = "audit.view";
    /// Archive a project and take it out of the archive.
    ProjectArchive = "project.archive";
    /// Delete a project.
    ProjectDelete = "project.delete";
    /// See an account.
    AccountView = "account.view";
    /// See its members.
    MemberView = "member.view";
    /// See its teams.
    TeamView = "team.view";
    /// Create projects in it.
    ProjectCreate = "project.create";
    /// Rename it.
    AccountEdit = "account.edit";
    /// Change and remove members.
    MemberManage = "member.manage";
    /// Create, rename and delete teams, and manage their members.
    TeamManage = "team.manage";
    /// Invite.
    InviteManage = "invite.manage";
    /// Close it.
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

/// A set of capabilities, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Capabilities(u32);

impl Capabilities {
    /// No capability.
    pub const NONE: Self = Self(0);

    /// The set of exactly these.
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

    /// Everything in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Everything in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Everything in this set that is not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the capability is in the set.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u32) != 0
    }

    /// Whether every capability of the other set is in this one.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether the set is empty.
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
