//! A cache of the links from identities to people.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use wm_core::{storage::Scope, value::UserId};

/// The maximum number of cached links. Beyond it, the cache starts empty.
const LIMIT: usize = 10_000;

/// Links from identities to people. A link is created once and never changes, so a cached link is
/// never stale.
#[derive(Debug, Default)]
pub(crate) struct Actors(Mutex<BTreeMap<Scope, UserId>>);

impl Actors {
    pub(crate) fn get(&self, identity: Scope) -> Option<UserId> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&identity)
            .copied()
    }

    pub(crate) fn remember(&self, identity: Scope, user: UserId) {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= LIMIT {
            links.clear();
        }
        links.insert(identity, user);
    }
}
