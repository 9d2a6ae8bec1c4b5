//! What an operation requires of its caller.

use alloc::{format, string::String};

use crate::value::Capability;

/// The requirement on the caller, as [`super::Route`] declares it.
///
/// The permission engine decides, not this declaration. The attack matrix of the conformance suite
/// calls every operation as every kind of caller and compares the answers with the declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requires {
    /// None, not even a token.
    Nothing,
    /// A valid access token.
    Token,
    /// A capability in the account.
    Account(Capability),
    /// A capability in the account, and a role above that of the member that the path names. Owners
    /// may act on owners.
    HigherRole(Capability),
    /// A capability in the account, or membership in the team.
    TeamMember(Capability),
    /// A capability in the account, or the role of a lead in the team.
    TeamLead(Capability),
    /// A capability on the project.
    Project(Capability),
}

impl Requires {
    /// The capability, if one is required.
    #[must_use]
    pub const fn capability(self) -> Option<Capability> {
        match self {
            Self::Nothing | Self::Token => None,
            Self::Account(capability)
            | Self::HigherRole(capability)
            | Self::TeamMember(capability)
            | Self::TeamLead(capability)
            | Self::Project(capability) => Some(capability),
        }
    }

    /// The requirement in sentences, for users of the API. It does not apply in the case that
    /// `unless` names.
    #[must_use]
    pub fn describe(self, unless: Option<&str>) -> String {
        const OUTSIDE_ACCOUNT: &str = "Callers who cannot see the account get 404.";
        let unless = unless.map_or_else(String::new, |case| format!(", unless {case}"));
        match self {
            Self::Nothing => "Requires no token.".into(),
            Self::Token => "Requires an access token and no capability.".into(),
            Self::Account(capability) => {
                format!("Requires `{capability}` in the account{unless}. {OUTSIDE_ACCOUNT}")
            }
            Self::HigherRole(capability) => format!(
                "Requires `{capability}` in the account and a role above the member's{unless}. Owners may act \
                 on owners. {OUTSIDE_ACCOUNT}"
            ),
            Self::TeamMember(capability) => format!(
                "Requires `{capability}` in the account, or membership in the team{unless}. {OUTSIDE_ACCOUNT}"
            ),
            Self::TeamLead(capability) => format!(
                "Requires `{capability}` in the account, or the role `lead` in the team{unless}. {OUTSIDE_ACCOUNT}"
            ),
            Self::Project(capability) => format!(
                "Requires `{capability}` on the project{unless}. Callers who cannot see the project get 404."
            ),
        }
    }
}
