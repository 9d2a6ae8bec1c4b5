//! The sweep: finishes interrupted work, closes expired work and removes orphaned objects.

use wm_core::{
    jobs::{self, orphans},
    operation::Problem,
    storage::{Item, ObjectPath, Work},
};

use crate::{
    Service,
    due::{Due, unfinished},
    execute::port_problem,
    ports::{Artifacts, EntropyContext, PortError, Provider},
    relay::is_entry,
};

/// The page size of the orphan collection, in objects.
const OBJECTS: u32 = 500;

/// The result of one sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Records whose work was finished: expired uploads, interrupted jobs.
    pub finished: usize,
    /// Records whose work failed. They are tried again later.
    pub failed: usize,
}

/// The result of one page of the orphan collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    /// The number of orphans removed.
    pub(crate) removed: usize,
    /// The object after which the next page begins. `None` after the last object.
    pub(crate) next: Option<ObjectPath>,
}

impl<P: Provider> Service<P> {
    /// Finishes due work, except publishing, which the relay does.
    ///
    /// # Errors
    /// If unfinished work cannot be listed.
    pub(crate) async fn sweep(&self) -> Result<SweepReport, PortError> {
        let mut swept = SweepReport::default();
        let layout = self.current_layout().await?;
        for rows in unfinished(&layout, Work::SWEPT) {
            let mut due = Due::new(rows, self.provider.now());
            let before = swept.finished;
            while let Some(items) = due.next(self.provider.records()).await? {
                let mut failed = Vec::new();
                for item in items.iter().filter(|item| !is_entry(item)) {
                    match self.finish_item(item).await {
                        Ok(()) => swept.finished += 1,
                        Err(problem) => {
                            let internal = problem.internal.as_deref();
                            tracing::warn!(key = %item.key, %problem, internal, "could not finish work");
                            failed.push(item);
                        }
                    }
                }
                swept.failed += failed.len();
                self.postpone(failed, layout.work_partitions).await;
                // The next run lists what is left. A page without progress does not hide the next.
                if swept.finished > before {
                    break;
                }
            }
        }
        Ok(swept)
    }

    async fn finish_item(&self, item: &Item) -> Result<(), Problem> {
        let Some(use_case) = jobs::unfinished(&item.key) else {
            // A newer version of this program wrote the record.
            return Err(Problem::internal("this version has no job for the record"));
        };
        let subject = item.key.to_string();
        let finished = self.run(EntropyContext::Job(&subject), &*use_case).await?;
        if let Some(upload) = finished.abandoned {
            let removed = self
                .provider
                .artifacts()
                .remove(&upload.path, Some(&upload.upload_id));
            removed.await.map_err(|error| port_problem(&error))?;
        }
        Ok(())
    }

    /// Removes orphans older than 24 hours among the 500 objects after `after`. Reads one record
    /// for each object.
    ///
    /// # Errors
    /// If objects cannot be listed or removed.
    pub(crate) async fn collect_orphans(
        &self,
        after: Option<ObjectPath>,
    ) -> Result<Collected, PortError> {
        // Objects of a newer program may belong to records that this one does not find.
        self.current_layout().await?;
        let artifacts = self.provider.artifacts();
        let before = self.provider.now().before(orphans::ORPHAN_AGE);
        let paths = artifacts
            .older_than(before, after.as_ref(), OBJECTS)
            .await?;
        let mut removed = 0;
        for path in &paths {
            match self.is_orphan(path).await {
                Ok(true) => {
                    artifacts.remove(path, None).await?;
                    removed += 1;
                }
                Ok(false) => {}
                Err(problem) => {
                    tracing::warn!(%path, %problem, "could not check whether an object is an orphan")
                }
            }
        }
        let more = paths.len() == OBJECTS as usize;
        let next = paths.last().filter(|_| more).cloned();
        Ok(Collected { removed, next })
    }

    async fn is_orphan(&self, path: &ObjectPath) -> Result<bool, Problem> {
        let facts = self.facts(vec![orphans::read_request(path)]).await?;
        orphans::is_orphan(path, &facts)
    }
}
