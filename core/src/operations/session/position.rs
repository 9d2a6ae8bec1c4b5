//! The position of a page of the session.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{
    operation::{Context, PageRequest, Problem},
    value::{GrantId, MembershipId},
};

/// A page shows one *window*: the person's next memberships, at most [`Position::WINDOW`]. Projects
/// with a grant of the person come first, then the other projects of the accounts in order. So a
/// guest with one grant sees its project on the first page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    /// The membership before the window.
    pub(super) window: Option<MembershipId>,
    /// The progress through the projects of the window.
    pub(super) stage: Stage,
}

/// The progress through the projects of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// The person's own grants were processed up to this one.
    Granted(Option<GrantId>),
    /// All granted projects were processed, up to this grant. The projects of the accounts were
    /// processed up to this position.
    All(Option<GrantId>, Option<ProjectPosition>),
}

/// A position in the projects of a window's accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProjectPosition {
    /// The person's membership in the account.
    pub(super) membership: MembershipId,
    /// The index key of the project.
    pub(super) project: String,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Granted(None)
    }
}

impl Stage {
    /// The last processed grant of the person.
    pub(super) fn last_grant(&self) -> Option<GrantId> {
        match self {
            Self::Granted(last) | Self::All(last, _) => *last,
        }
    }

    /// The last processed project of the accounts.
    pub(super) fn project_position(&self) -> Option<&ProjectPosition> {
        match self {
            Self::Granted(_) => None,
            Self::All(_, position) => position.as_ref(),
        }
    }
}

impl Position {
    /// The maximum number of accounts in one window.
    pub(super) const WINDOW: u32 = 25;

    /// The position at the start of the window after this membership.
    pub(super) fn after(membership: MembershipId) -> Self {
        Self {
            window: Some(membership),
            ..Self::default()
        }
    }

    /// The position in the caller's cursor. Default: the first position.
    ///
    /// # Errors
    /// 400 naming `cursor`.
    pub(super) fn of(request: &PageRequest, context: &Context<'_>) -> Result<Self, Problem> {
        let Some(text) = request.after(context)? else {
            return Ok(Self::default());
        };
        serde_json::from_str(&text)
            .map_err(|_| Problem::field("cursor", "must be a cursor that the session returned"))
    }

    /// The cursor of this position.
    pub(super) fn cursor(&self, request: &PageRequest, context: &Context<'_>) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        request.next(context, &text)
    }
}
