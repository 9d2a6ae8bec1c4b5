//! Scope locks: writers of one scope queue instead of conflicting.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;
use wm_core::storage::Scope;

/// The queues of all scopes that have writers at this moment, first come, first served.
#[derive(Debug, Default, Clone)]
pub(super) struct ScopeLocks(Arc<Mutex<BTreeMap<Scope, Queue>>>);

#[derive(Debug, Default)]
struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    writers: usize,
}

/// The turn, which passes on when this is dropped.
#[derive(Debug)]
pub(super) struct ScopeLock {
    // Declared first, so that the next writer goes before the queue is looked at.
    _turn: OwnedMutexGuard<()>,
    _place: Place,
}

/// A place in a queue, also while still waiting. The last to leave takes the queue away.
#[derive(Debug)]
struct Place {
    turns: ScopeLocks,
    scope: Scope,
}

impl ScopeLocks {
    pub(super) async fn take(&self, scope: Scope) -> ScopeLock {
        let turn = {
            let mut queues = self.queues();
            let queue = queues.entry(scope).or_default();
            queue.writers += 1;
            queue.turn.clone()
        };
        let place = Place {
            turns: self.clone(),
            scope,
        };
        ScopeLock {
            _turn: turn.lock_owned().await,
            _place: place,
        }
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<Scope, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.turns.queues();
        if let Some(queue) = queues.get_mut(&self.scope) {
            queue.writers -= 1;
            if queue.writers == 0 {
                queues.remove(&self.scope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;
    use wm_core::value::Sha256;

    use super::*;

    #[tokio::test]
    async fn one_writer_at_a_time_and_no_queue_is_left() {
        let turns = ScopeLocks::default();
        let scope = Scope::Identity(Sha256::of(b"one"));
        let first = turns.take(scope).await;
        let other = turns.take(Scope::Identity(Sha256::of(b"two"))).await;
        let impatient = timeout(Duration::from_millis(10), turns.take(scope)).await;
        assert!(impatient.is_err(), "the first still holds the turn");
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(scope).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        drop(waiting.await.unwrap());
        drop(other);
        assert!(turns.queues().is_empty());
    }
}
