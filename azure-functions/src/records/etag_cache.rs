//! The marks the service gave to states that were read or written here.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use azure_core::http::Etag;
use wm_core::storage::{ETag, Item, Key};

/// How many a generation holds. With two of them, some two megabytes at most.
const GENERATION: usize = 2048;

/// The service's ETag of each item met last, beside our own.
///
/// What is remembered may be out of date. It is only ever used as a condition, and one on a state that has
/// passed does not hold: nothing is written that should not be.
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

    /// The service's ETag of the item while it carries this one of ours.
    pub(super) fn of(&self, key: &Key, etag: &ETag) -> Option<Etag> {
        let generations = self.generations();
        let found = generations
            .young
            .get(key)
            .or_else(|| generations.old.get(key));
        let (known, mark) = found?;
        (known == etag).then(|| mark.clone())
    }

    pub(super) fn remember(&self, item: &Item, mark: Etag) {
        let mut generations = self.generations();
        if generations.young.len() >= GENERATION {
            generations.old = mem::take(&mut generations.young);
        }
        let known = (item.etag.clone(), mark);
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
    fn a_mark_goes_with_one_state() {
        let marks = ETagCache::default();
        let (before, after) = (item(1, b"before"), item(1, b"after"));
        marks.remember(&before, "1".into());
        assert_eq!(marks.of(&before.key, &before.etag), Some("1".into()));
        assert_eq!(marks.of(&after.key, &after.etag), None);
        marks.remember(&after, "2".into());
        assert_eq!(marks.of(&before.key, &before.etag), None);
        assert_eq!(marks.of(&after.key, &after.etag), Some("2".into()));
        marks.forget(&after.key);
        assert_eq!(marks.of(&after.key, &after.etag), None);
    }

    #[test]
    fn what_was_met_long_ago_is_forgotten() {
        let marks = ETagCache::default();
        let met = 3 * GENERATION;
        for number in 0..met {
            marks.remember(&item(number, b""), number.to_string().into());
        }
        let known = |number| marks.of(&item(number, b"").key, &item(number, b"").etag);
        assert!(known(met - 1).is_some() && known(met - GENERATION).is_some());
        assert_eq!(known(0), None);
        let generations = marks.generations();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
    }
}
