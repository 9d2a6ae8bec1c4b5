//! Where a page of the session begins.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{
    operation::{Context, PageRequest, Problem},
    value::{GrantId, MembershipId},
};

/// A page speaks of a *window*: the person's next memberships, at most [`Position::WINDOW`]. It shows
/// first what is granted to the person themselves in those accounts, so that a guest with one grant
/// sees it at once, then the other projects of the accounts in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    /// The window begins after this membership.
    pub(super) window: Option<MembershipId>,
    /// How far its projects have been shown.
    pub(super) stage: Stage,
}

/// How far the projects of a window have been shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// By the person's own grants, up to this one.
    Granted(Option<GrantId>),
    /// Every one the person was granted, up to this grant, and of the accounts all up to here.
    All(Option<GrantId>, Option<Place>),
}

/// A place among the projects of a window's accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The membership that leads to the account.
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
    /// The last of the person's grants that was looked at.
    pub(super) fn last_grant(&self) -> Option<GrantId> {
        match self {
            Self::Granted(last) | Self::All(last, _) => *last,
        }
    }

    /// The last project of the accounts that was looked at.
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::Granted(_) => None,
            Self::All(_, place) => place.as_ref(),
        }
    }
}

impl Position {
    /// The most accounts of one window.
    pub(super) const WINDOW: u32 = 25;

    /// The beginning of the window after this membership.
    pub(super) fn after(membership: MembershipId) -> Self {
        Self {
            window: Some(membership),
            ..Self::default()
        }
    }

    /// The position the caller's cursor tells; the beginning without one.
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

    /// The cursor that leads here.
    pub(super) fn cursor(&self, request: &PageRequest, context: &Context<'_>) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        request.next(context, &text)
    }
}
