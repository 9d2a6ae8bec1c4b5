//! Roles are data: one table of what each adds to the one before it.

use core::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Capabilities, Capability};
use crate::value::Invalid;

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal adds [$($capability:ident),*];)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $role {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)*
        }

        #[expect(clippy::indexing_slicing, reason = "the tables have one entry for each role")]
        impl $role {
            /// Every role, weakest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            const ADDS: &'static [Capabilities] = &[$(Capabilities::of(&[$(Capability::$capability),*])),*];

            const CAPABILITIES: [Capabilities; Self::ALL.len()] = {
                let mut table = [Capabilities::NONE; Self::ALL.len()];
                let mut sum = Capabilities::NONE;
                let mut position = 0;
                while position < table.len() {
                    sum = sum.union(Self::ADDS[position]);
                    table[position] = sum;
                    position += 1;
                }
                table
            };

            /// Everything the role confers, that of all weaker roles included.
            #[must_use]
            pub const fn capabilities(self) -> Capabilities {
                Self::CAPABILITIES[self as usize]
            }

            /// The word in records and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $role {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl FromStr for $role {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Invalid(concat!("must be one of:", $(" `", $text, "`"),*))),
                }
            }
        }
    )*};
}

roles! {
    /// A role on a project.
    ProjectRole {
        /// Sees and downloads.
        Viewer = "viewer" adds [ProjectView, ArtifactView, ArtifactDownload, MetadataView, EventView];
        /// Also writes events.
        Commenter = "commenter" adds [EventAppend];
        /// Also creates and edits documents.
        Contributor = "contributor" adds [ArtifactCreate, ArtifactEdit, VersionCreate, DerivedCreate, MetadataAppend];
        /// Also edits the project, its grants, and deletes documents.
        Manager = "manager" adds [ProjectEdit, GrantView, GrantManage, ArtifactDelete, AuditView];
        /// Also archives and deletes it.
        Owner = "owner" adds [ProjectArchive, ProjectDelete];
    }
    /// A role in an account.
    AccountRole {
        /// Sees the account and what is granted.
        Guest = "guest" adds [AccountView];
        /// Also sees members, teams and the projects open to the account, and creates projects.
        Member = "member" adds [MemberView, TeamView, ProjectCreate];
        /// Also manages people and teams, and acts as manager on every project.
        Admin = "admin" adds [AccountEdit, MemberManage, TeamManage, InviteManage, AuditView];
        /// Also closes the account, and acts as owner on every project.
        Owner = "owner" adds [AccountDelete];
    }
    /// A role in a team.
    TeamRole {
        /// Is in it.
        Member = "member" adds [];
        /// Manages its members.
        Lead = "lead" adds [];
    }
}

impl AccountRole {
    /// The role on every project of the account that goes with it.
    #[must_use]
    pub const fn project_role(self) -> Option<ProjectRole> {
        match self {
            Self::Guest | Self::Member => None,
            Self::Admin => Some(ProjectRole::Manager),
            Self::Owner => Some(ProjectRole::Owner),
        }
    }

    /// Everything the role confers, in the account and on every project of it.
    #[must_use]
    pub const fn conferred(self) -> Capabilities {
        let everywhere = match self.project_role() {
            Some(role) => role.capabilities(),
            None => Capabilities::NONE,
        };
        self.capabilities().union(everywhere)
    }
}
