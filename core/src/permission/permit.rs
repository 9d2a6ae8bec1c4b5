//! The permit: proof of a permission check.

use super::right::{Job, Right};
use crate::{
    record::{Actor, Author, EventType},
    storage::Scope,
    value::{AccountId, Capability, UserId},
};

/// Proof that the permission engine gave one author one right in one scope, now.
///
/// What holds:
/// * Only this module constructs permits. Code of other crates gets one from a check of the records
///   as read, and does not compile with a permit of its own: `tests/witness` shows it. Inside core,
///   constructors for jobs check the record of the job. `Permit::own_profile` and
///   `Permit::new_account` check no record. Their comments say what limits them.
/// * A commit requires a permit for its event type, and contains records of the permit's scope only.
///   It does not check that the records fit the event type.
/// * A signed URL and an assembly require a permit for a capability that allows them, in the project
///   of the object. Which object of the project it is follows from the operation.
/// * Three writers store records without a permit: `operation::Batch` lists them.
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

    /// Every person may write their own profile and preferences. The scope is that of the caller,
    /// so the permit allows no write to another person's records.
    #[must_use]
    pub(crate) fn own_profile(actor: &Actor) -> Self {
        Self::of(actor.user, Scope::User(actor.user), Right::OwnProfile)
    }

    /// Every person who signed in may create an account, and the scope of the account with it.
    ///
    /// The permit is worthless for an account that exists. A commit refuses it together with a head,
    /// and a commit without a head fails if the scope has one.
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

    /// Whether the right only allows creating the scope.
    #[must_use]
    pub fn is_for_a_new_scope(&self) -> bool {
        self.right == Right::NewAccount
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
