//! The sweeper: finishes interrupted work and collects orphaned objects.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use wm_core::{
    storage::{ObjectPath, WorkPartitions},
    value::Timestamp,
};

use crate::{
    Service, SweepReport,
    ports::{PortError, Provider},
};

/// The interval between two orphan collections on surfaces where reads are billed. A collection
/// reads one record for each object.
pub const BILLED_COLLECTION_INTERVAL: Duration = Duration::from_hours(24);

/// The result of one run of the sweeper. A function also returns it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Journal entries published that the relay had missed.
    pub published: usize,
    /// Journal entries that could not be published. They are tried again later.
    pub unpublished: usize,
    /// Jobs finished.
    pub finished: usize,
    /// Jobs that failed. They are tried again later.
    pub failed: usize,
    /// Orphaned objects removed.
    pub removed: usize,
}

/// Sweeps one surface. It keeps the position of the orphan collection in memory only, so a new
/// process starts the collection from the first object.
pub struct Sweeper<P> {
    service: Arc<Service<P>>,
    collection_interval: Duration,
    work_partitions: WorkPartitions,
    cursor: Mutex<Cursor>,
}

/// The position of the orphan collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Cursor {
    /// Before the first object.
    #[default]
    Start,
    After(ObjectPath),
    /// After the last object, which was reached at this time.
    Complete(Timestamp),
}

/// The objects that the orphan collection examines next.
#[derive(Debug, PartialEq, Eq)]
enum NextPage {
    /// The objects after this one. `None` means from the first object on.
    After(Option<ObjectPath>),
    /// The interval since the last collection is not over.
    NotDue,
}

impl Cursor {
    fn next_page(&self, interval: Duration, now: Timestamp) -> NextPage {
        match self {
            Self::Start => NextPage::After(None),
            Self::After(path) => NextPage::After(Some(path.clone())),
            // A zero interval ignores the clock, which may have been set back.
            Self::Complete(at) if interval.is_zero() || now >= at.after(interval) => {
                NextPage::After(None)
            }
            Self::Complete(_) => NextPage::NotDue,
        }
    }
}

impl<P: Provider> Sweeper<P> {
    /// A sweeper at the start of its first collection. The interval lies between the end of a
    /// collection and the start of the next.
    #[must_use]
    pub fn new(service: Arc<Service<P>>, collection_interval: Duration) -> Self {
        Self {
            service,
            collection_interval,
            work_partitions: WorkPartitions::default(),
            cursor: Mutex::default(),
        }
    }

    /// Raises the number of partitions for each kind of unfinished work to this one. A lower number
    /// has no effect.
    #[must_use]
    pub fn with_work_partitions(self, work_partitions: WorkPartitions) -> Self {
        Self {
            work_partitions,
            ..self
        }
    }

    /// Publishes entries that the change stream missed, finishes due jobs, walks over all scopes
    /// and collects orphans. Once `time_left` returns `false`, no further step starts. The next run
    /// continues there.
    ///
    /// # Errors
    /// If due jobs or objects cannot be listed, or an object cannot be removed.
    pub async fn run(&self, time_left: impl Fn() -> bool + Sync) -> Result<Outcome, PortError> {
        let mut outcome = Outcome::default();
        self.publish(&mut outcome, &time_left).await?;
        let swept = self.finish_jobs().await?;
        (outcome.finished, outcome.failed) = (swept.finished, swept.failed);
        while time_left() && self.walk(&time_left).await {}
        while time_left()
            && let Some(removed) = self.collect_orphans().await?
        {
            outcome.removed += removed;
        }
        Ok(outcome)
    }

    async fn publish(
        &self,
        outcome: &mut Outcome,
        time_left: impl Fn() -> bool,
    ) -> Result<(), PortError> {
        loop {
            let relayed = self.service.relay(|_| async { true }).await?;
            outcome.published += relayed.published;
            outcome.unpublished += relayed.failed;
            if !relayed.more || !time_left() {
                return Ok(());
            }
        }
    }

    /// Finishes due jobs: expired uploads and interrupted jobs.
    ///
    /// # Errors
    /// If due jobs cannot be listed.
    pub async fn finish_jobs(&self) -> Result<SweepReport, PortError> {
        self.service.sweep().await
    }

    /// Makes one step of the walk over all scopes, which brings data of an older layout up to date
    /// and counts what each scope holds. Returns whether another step is due now. After a failure,
    /// which is logged, the next run makes the step again.
    pub async fn walk(&self, time_left: impl Fn() -> bool + Sync) -> bool {
        match self.service.walk(self.work_partitions, time_left).await {
            Ok(more) => more,
            Err(problem) => {
                let internal = problem.internal.as_deref();
                tracing::warn!(%problem, internal, "the walk over all scopes was interrupted");
                false
            }
        }
    }

    /// Collects the orphans among the next 500 objects and returns the number removed. `None` if no
    /// collection is due. After a failure, the next call examines the same objects.
    ///
    /// # Errors
    /// If objects cannot be listed, or an orphan cannot be removed.
    pub async fn collect_orphans(&self) -> Result<Option<usize>, PortError> {
        let now = self.service.provider().now();
        let next_page = self.cursor().next_page(self.collection_interval, now);
        let NextPage::After(path) = next_page else {
            return Ok(None);
        };
        let collected = self.service.collect_orphans(path).await?;
        *self.cursor() = collected.next.map_or(Cursor::Complete(now), Cursor::After);
        Ok(Some(collected.removed))
    }

    fn cursor(&self) -> MutexGuard<'_, Cursor> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = BILLED_COLLECTION_INTERVAL;

    #[test]
    fn collection_starts_again_after_its_interval() {
        let now = Timestamp::from_millis(1_000_000);
        let first = NextPage::After(None);
        assert_eq!(Cursor::Start.next_page(DAY, now), first);
        let complete = Cursor::Complete(now);
        assert_eq!(complete.next_page(DAY, now), NextPage::NotDue);
        assert_eq!(complete.next_page(DAY, now.after(DAY)), first);
    }

    #[test]
    fn collection_without_interval_is_always_due() {
        let now = Timestamp::from_millis(1_000_000);
        let complete = Cursor::Complete(now);
        for time in [now, now.after(DAY), now.before(DAY)] {
            let next_page = complete.next_page(Duration::ZERO, time);
            assert_eq!(next_page, NextPage::After(None));
        }
    }
}
