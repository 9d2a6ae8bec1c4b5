//! The witness that somebody was allowed to do something.

use super::right::{Job, Right};
use crate::{
    record::{Actor, Author, EventType},
    storage::Scope,
    value::{AccountId, Capability, UserId},
};

/// Proof that the permission engine gave one author one right in one scope, now.
///
/// Only this module's engine builds one, and everything dangerous takes one and checks it: a commit its
/// right and its scope, a signed URL the capability and the project of its object. Code that forgot to
/// ask, or makes its own, does not compile: `tests/witness` shows it.
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

    /// Everyone may write their own profile and preferences.
    #[must_use]
    pub(crate) fn own_profile(actor: &Actor) -> Self {
        Self::of(actor.user, Scope::User(actor.user), Right::OwnProfile)
    }

    /// Whoever signs in may create an account of their own, and thereby its scope.
    #[must_use]
    pub(crate) fn new_account(actor: &Actor, account: AccountId) -> Self {
        Self::of(actor.user, Scope::Account(account), Right::NewAccount)
    }

    /// A permit for whatever a test writes by way of preparation.
    #[cfg(test)]
    pub(crate) fn fixture(scope: Scope) -> Self {
        Self {
            author: Author::System,
            scope,
            right: Right::Fixture,
        }
    }

    /// Who was allowed.
    #[must_use]
    pub fn author(&self) -> Author {
        self.author
    }

    /// Where.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// What.
    #[must_use]
    pub fn right(&self) -> Right {
        self.right
    }

    /// Whether it allows writing at all, which a permit for seeing something does not.
    #[must_use]
    pub fn allows_writing(&self) -> bool {
        self.right.writes()
    }

    /// Whether it allows a commit of this type.
    #[must_use]
    pub fn covers(&self, event: EventType) -> bool {
        self.right.covers(event)
    }

    /// Whether it was given for this capability in this scope.
    #[must_use]
    pub fn is_for(&self, capability: Capability, scope: Scope) -> bool {
        self.right == Right::Capability(capability) && self.scope == scope
    }
}
