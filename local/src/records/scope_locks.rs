//! Scope locks: writers of one scope queue instead of conflicting.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;
use wm_core::storage::Scope;

/// The queues of all scopes with writers, first come, first served.
#[derive(Debug, Default, Clone)]
pub(super) struct ScopeLocks(Arc<Mutex<BTreeMap<Scope, Queue>>>);

#[derive(Debug, Default)]
struct Queue {
    lock: Arc<tokio::sync::Mutex<()>>,
    writers: usize,
}

/// The lock of a scope. Dropping it passes the lock to the next writer.
#[derive(Debug)]
pub(super) struct ScopeLock {
    // Declared first, so that the next writer continues before the queue is examined.
    _guard: OwnedMutexGuard<()>,
    _entry: QueueEntry,
}

/// An entry of a queue, also while waiting. The last writer to leave removes the queue.
#[derive(Debug)]
struct QueueEntry {
    locks: ScopeLocks,
    scope: Scope,
}

impl ScopeLocks {
    pub(super) async fn take(&self, scope: Scope) -> ScopeLock {
        let lock = {
            let mut queues = self.queues();
            let queue = queues.entry(scope).or_default();
            queue.writers += 1;
            queue.lock.clone()
        };
        let entry = QueueEntry {
            locks: self.clone(),
            scope,
        };
        ScopeLock {
            _guard: lock.lock_owned().await,
            _entry: entry,
        }
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<Scope, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for QueueEntry {
    fn drop(&mut self) {
        let mut queues = self.locks.queues();
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
    async fn scope_lock_admits_one_writer_and_leaves_no_queue() {
        let locks = ScopeLocks::default();
        let scope = Scope::Identity(Sha256::of(b"one"));
        let first = locks.take(scope).await;
        let other = locks.take(Scope::Identity(Sha256::of(b"two"))).await;
        let refused = timeout(Duration::from_millis(10), locks.take(scope)).await;
        assert!(refused.is_err(), "the first writer still holds the lock");
        let waiting = tokio::spawn({
            let locks = locks.clone();
            async move { locks.take(scope).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        drop(waiting.await.unwrap());
        drop(other);
        assert!(locks.queues().is_empty());
    }
}
