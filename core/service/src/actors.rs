//! Which person an identity belongs to, remembered.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use wm_core::{storage::Scope, value::UserId};

/// Identities remembered at most; beyond it the memory starts over.
const LIMIT: usize = 10_000;

/// Links from identities to people. A link is created once and never changes, so remembering it can
/// neither grow stale nor mix two people up.
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
