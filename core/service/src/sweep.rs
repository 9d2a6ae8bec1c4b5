//! The sweep: what was interrupted is finished, what expired is closed, what nobody needs is removed.

use wm_core::{
    jobs::{self, orphans},
    operation::Problem,
    record::WORK_SHARDS,
    storage::{Item, ObjectPath},
};

use crate::{
    Service,
    execute::port_problem,
    ports::{Artifacts, EntropyContext, PortError, Provider},
    relay::is_entry,
};

/// Objects examined in one page of the orphan collection.
const OBJECTS: u32 = 500;

/// What one sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Pieces of work finished: expired uploads, interrupted steps.
    pub finished: usize,
    /// Pieces of work that failed and stay for the next sweep.
    pub failed: usize,
}

/// What one page of the orphan collection did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    /// Orphans removed.
    pub(crate) removed: usize,
    /// The object behind which the next page begins; `None` after the last object.
    pub(crate) next: Option<ObjectPath>,
}

impl<P: Provider> Service<P> {
    /// Finishes due work other than publishing, which is the relay's.
    ///
    /// # Errors
    /// When unfinished work cannot be listed.
    pub(crate) async fn sweep(&self) -> Result<Swept, PortError> {
        let mut swept = Swept::default();
        for shard in 0..WORK_SHARDS {
            let (items, _) = self.due(shard).await?;
            for item in items.iter().filter(|item| !is_entry(item)) {
                match self.finish_item(item).await {
                    Ok(()) => swept.finished += 1,
                    Err(problem) => {
                        swept.failed += 1;
                        tracing::warn!(key = %item.key, %problem, internal = problem.internal, "work stays unfinished");
                    }
                }
            }
        }
        Ok(swept)
    }

    async fn finish_item(&self, item: &Item) -> Result<(), Problem> {
        let Some(use_case) = jobs::unfinished(&item.key) else {
            return Err(Problem::internal("nothing is known to finish this"));
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

    /// Removes objects older than a day that no record needs, of the 500 behind `after`. Reads one
    /// record for each of them.
    ///
    /// # Errors
    /// When objects cannot be listed or removed.
    pub(crate) async fn collect_orphans(
        &self,
        after: Option<ObjectPath>,
    ) -> Result<Collected, PortError> {
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
                    tracing::warn!(%path, %problem, "an object could not be judged and stays")
                }
            }
        }
        let more = paths.len() == OBJECTS as usize;
        let next = paths.last().filter(|_| more).cloned();
        Ok(Collected { removed, next })
    }

    async fn is_orphan(&self, path: &ObjectPath) -> Result<bool, Problem> {
        let facts = self.facts(vec![orphans::ask(path)]).await?;
        orphans::is_orphan(path, &facts)
    }
}
