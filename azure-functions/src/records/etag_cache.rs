//! A cache of the service's ETags.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use azure_core::http::Etag;
use wm_core::storage::{ETag, Item, Key};

/// The number of entries per generation. Two generations take about two megabytes at most.
const GENERATION: usize = 2048;

/// The service's ETag of each item read or written recently, with the item's own ETag.
///
/// A cached ETag can be outdated. It is only used in conditions, and a condition on an old state
/// fails, so nothing wrong is written.
#[derive(Clone, Default)]
pub(super) struct ETagCache(Arc<Mutex<Generations>>);

#[derive(Default)]
struct Generations {
    young: BTreeMap<Key, (ETag, Etag)>,
    old: BTreeMap<Key, (ETag, Etag)>,
}

impl ETagCache {
    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service's ETag of the item, if the item still has this own ETag.
    pub(super) fn of(&self, key: &Key, etag: &ETag) -> Option<Etag> {
        let generations = self.generations();
        let found = generations
            .young
            .get(key)
            .or_else(|| generations.old.get(key));
        let (known, service_etag) = found?;
        (known == etag).then(|| service_etag.clone())
    }

    pub(super) fn remember(&self, item: &Item, service_etag: Etag) {
        let mut generations = self.generations();
        if generations.young.len() >= GENERATION {
            generations.old = mem::take(&mut generations.young);
        }
        let known = (item.etag.clone(), service_etag);
        generations.young.insert(item.key.clone(), known);
    }

    pub(super) fn forget(&self, key: &Key) {
        let mut generations = self.generations();
        generations.young.remove(key);
        generations.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use wm_core::{
        storage::{IndexKeys, Scope, Sort},
        value::Sha256,
    };

    use super::*;

    fn item(number: usize, state: &[u8]) -> Item {
        Item {
            key: Scope::Email(Sha256::of(b"")).key(Sort::from_stored(format!("{number:06}"))),
            index: IndexKeys::default(),
            etag: ETag::new(Sha256::of(state)),
            body: String::new(),
            expires_at: None,
        }
    }

    #[test]
    fn cached_etag_belongs_to_one_state() {
        let etags = ETagCache::default();
        let (before, after) = (item(1, b"before"), item(1, b"after"));
        etags.remember(&before, "1".into());
        assert_eq!(etags.of(&before.key, &before.etag), Some("1".into()));
        assert_eq!(etags.of(&after.key, &after.etag), None);
        etags.remember(&after, "2".into());
        assert_eq!(etags.of(&before.key, &before.etag), None);
        assert_eq!(etags.of(&after.key, &after.etag), Some("2".into()));
        etags.forget(&after.key);
        assert_eq!(etags.of(&after.key, &after.etag), None);
    }

    #[test]
    fn old_entries_are_evicted() {
        let etags = ETagCache::default();
        let met = 3 * GENERATION;
        for number in 0..met {
            etags.remember(&item(number, b""), number.to_string().into());
        }
        let known = |number| etags.of(&item(number, b"").key, &item(number, b"").etag);
        assert!(known(met - 1).is_some() && known(met - GENERATION).is_some());
        assert_eq!(known(0), None);
        let generations = etags.generations();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
    }
}
