//! Roles: a table of the capabilities that each role adds to the role before it.

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
            /// All roles, weakest first.
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

            /// All capabilities of the role, including those of weaker roles.
            #[must_use]
            pub const fn capabilities(self) -> Capabilities {
                Self::CAPABILITIES[self as usize]
            }

            /// The value in records and answers.
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
    /// A role on a project. Each role includes the capabilities of the roles before it.
    ProjectRole {
        /// May view and download documents.
        Viewer = "viewer" adds [ProjectView, ArtifactView, ArtifactDownload, MetadataView, EventView];
        /// May also append write events.
        Commenter = "commenter" adds [EventAppend];
        /// May also create and edit documents.
        Contributor = "contributor" adds [ArtifactCreate, ArtifactEdit, VersionCreate, DerivedCreate, MetadataAppend];
        /// May also edit the project, manage its grants and delete documents.
        Manager = "manager" adds [ProjectEdit, GrantView, GrantManage, ArtifactDelete, AuditView];
        /// May also archive and delete the project.
        Owner = "owner" adds [ProjectArchive, ProjectDelete];
    }
    /// A role in an account. Each role includes the capabilities of the roles before it.
    AccountRole {
        /// May view the account and the projects granted to them.
        Guest = "guest" adds [AccountView];
        /// May also view members, teams and projects with account visibility, and create projects.
        Member = "member" adds [MemberView, TeamView, ProjectCreate];
        /// May also manage people and teams, and has the capabilities of a manager on every
        /// project.
        Admin = "admin" adds [AccountEdit, MemberManage, TeamManage, InviteManage, AuditView];
        /// May also close the account, and has the capabilities of an owner on every project.
        Owner = "owner" adds [AccountDelete];
    }
    /// A role in a team.
    TeamRole {
        /// Belongs to the team.
        Member = "member" adds [];
        /// May also manage the members of the team.
        Lead = "lead" adds [];
    }
}

impl AccountRole {
    /// The role on every project of the account that this account role includes.
    #[must_use]
    pub const fn project_role(self) -> Option<ProjectRole> {
        match self {
            Self::Guest | Self::Member => None,
            Self::Admin => Some(ProjectRole::Manager),
            Self::Owner => Some(ProjectRole::Owner),
        }
    }

    /// All capabilities of the role, in the account and on its projects.
    #[must_use]
    pub const fn conferred(self) -> Capabilities {
        let everywhere = match self.project_role() {
            Some(role) => role.capabilities(),
            None => Capabilities::NONE,
        };
        self.capabilities().union(everywhere)
    }
}
