//! The witness that somebody was allowed to do something.

use crate::{
    record::Author,
    storage::Scope,
    value::{AccountId, Capability, UserId},
};

/// Proof that the permission engine allowed one author one capability in one scope, now.
///
/// Only the engine builds one, and everything dangerous takes one: opening a commit, signing an
/// address. Code that forgot to ask, or makes its own, does not compile: `tests/witness` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    author: Author,
    scope: Scope,
    capability: Option<Capability>,
}

impl Permit {
    pub(super) fn granted(user: UserId, scope: Scope, capability: Option<Capability>) -> Self {
        Self {
            author: Author::User(user),
            scope,
            capability,
        }
    }

    /// Everyone may write their own profile, preferences and links.
    #[must_use]
    pub(crate) fn own(user: UserId) -> Self {
        Self::granted(user, Scope::User(user), None)
    }

    /// Whoever signs in may create an account of their own, and thereby its scope.
    #[must_use]
    pub(crate) fn new_account(user: UserId, account: AccountId) -> Self {
        Self::granted(user, Scope::Account(account), None)
    }

    /// The first link of an identity or an address, made while its owner signs in.
    #[must_use]
    pub(crate) fn link(user: UserId, scope: Scope) -> Self {
        Self::granted(user, scope, None)
    }

    /// Whoever proved the invited address may answer the invitation, and thereby join the account.
    #[must_use]
    pub(crate) fn invited(user: UserId, account: AccountId) -> Self {
        Self::granted(user, Scope::Account(account), None)
    }

    /// What the system does by itself: expiring, verifying, finishing what a person decided.
    #[must_use]
    pub(crate) fn system(scope: Scope) -> Self {
        Self {
            author: Author::System,
            scope,
            capability: None,
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

    /// What; `None` for what needs no capability, such as one's own preferences.
    #[must_use]
    pub fn capability(&self) -> Option<Capability> {
        self.capability
    }
}
