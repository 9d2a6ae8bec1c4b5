//! The permit: proof of a permission check.

use super::right::{Job, Right};
use crate::{
    record::{Actor, Author, EventType},
    storage::Scope,
    value::{AccountId, Capability, UserId},
};

/// Proof that the permission engine gave one author one right in one scope, now.
///
/// Only the engine in this module constructs permits. Every commit requires one and checks its
/// right and scope. Every signed URL requires one and checks its capability and project. Code
/// without a check, or with a permit of its own, does not compile: `tests/witness` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    author: Author,
    scope: Scope,
    right: Right,
}

impl Permit {
    pub(super) fn granted(user: UserId, scope: Scope, capability: Capability) -> Self {
        Self::of(user, scope, Right::Capability(capability))
    }

    pub(super) fn of(user: UserId, scope: Scope, right: Right) -> Self {
        Self {
            author: Author::User(user),
            scope,
            right,
        }
    }

    pub(super) fn job(scope: Scope, job: Job) -> Self {
        Self {
            author: Author::System,
            scope,
            right: Right::Job(job),
        }
    }

    /// Every person may write their own profile and preferences.
    #[must_use]
    pub(crate) fn own_profile(actor: &Actor) -> Self {
        Self::of(actor.user, Scope::User(actor.user), Right::OwnProfile)
    }

    /// Every person who signed in may create an account, and the scope of the account with it.
    #[must_use]
    pub(crate) fn new_account(actor: &Actor, account: AccountId) -> Self {
        Self::of(actor.user, Scope::Account(account), Right::NewAccount)
    }

    /// A permit for records that a test sets up.
    #[cfg(test)]
    pub(crate) fn fixture(scope: Scope) -> Self {
        Self {
            author: Author::System,
            scope,
            right: Right::Fixture,
        }
    }

    /// The author who was allowed.
    #[must_use]
    pub fn author(&self) -> Author {
        self.author
    }

    /// The scope in which the author was allowed.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The right that was given.
    #[must_use]
    pub fn right(&self) -> Right {
        self.right
    }

    /// Whether the right allows writing. A capability to view does not.
    #[must_use]
    pub fn allows_writing(&self) -> bool {
        self.right.writes()
    }

    /// Whether the right allows a commit with this event type.
    #[must_use]
    pub fn covers(&self, event: EventType) -> bool {
        self.right.covers(event)
    }

    /// Whether the permit is for this capability in this scope.
    #[must_use]
    pub fn is_for(&self, capability: Capability, scope: Scope) -> bool {
        self.right == Right::Capability(capability) && self.scope == scope
    }
}
