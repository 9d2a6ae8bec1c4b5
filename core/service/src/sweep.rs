//! The sweep: what was interrupted is finished, what expired is closed, what nobody needs is removed.

use wm_core::{
    api::Problem,
    model::WORK_SHARDS,
    operations::system::{self, orphans},
    storage::{Item, ObjectPath},
};

use crate::{
    Service,
    execute::port_problem,
    ports::{Artifacts, PortError, Provider},
    relay::is_entry,
};

/// Objects looked at in one sweep.
const OBJECTS: u32 = 500;

/// What one sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Pieces of work finished: expired uploads, interrupted steps.
    pub finished: usize,
    /// Pieces of work that failed and stay for the next sweep.
    pub failed: usize,
    /// Objects removed.
    pub removed: usize,
    /// Where the next sweep goes on looking at objects; `None` to begin again.
    pub next: Option<ObjectPath>,
}

impl<P: Provider> Service<P> {
    /// Finishes due work other than publishing, which is the relay's, and looks at the objects
    /// behind `after`: at most 500, so that a sweep stays short however many there are.
    ///
    /// # Errors
    /// When unfinished work or objects cannot be listed.
    pub async fn sweep(&self, after: Option<ObjectPath>) -> Result<Swept, PortError> {
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
        self.remove_orphans(after, &mut swept).await?;
        Ok(swept)
    }

    async fn finish_item(&self, item: &Item) -> Result<(), Problem> {
        let Some(use_case) = system::unfinished(&item.key) else {
            return Err(Problem::internal("nothing is known to finish this"));
        };
        let reply = self.run(&*use_case).await?;
        if let Some(upload) = reply.abandoned {
            let removed = self
                .provider
                .artifacts()
                .remove(&upload.path, Some(&upload.upload_id));
            removed.await.map_err(|error| port_problem(&error))?;
        }
        Ok(())
    }

    /// Removes objects older than a day that no record needs.
    async fn remove_orphans(
        &self,
        after: Option<ObjectPath>,
        swept: &mut Swept,
    ) -> Result<(), PortError> {
        let artifacts = self.provider.artifacts();
        let before = self.provider.env().now.before(orphans::ORPHAN_AGE);
        let paths = artifacts
            .older_than(before, after.as_ref(), OBJECTS)
            .await?;
        for path in &paths {
            match self.is_orphan(path).await {
                Ok(true) => {
                    artifacts.remove(path, None).await?;
                    swept.removed += 1;
                }
                Ok(false) => {}
                Err(problem) => {
                    tracing::warn!(%path, %problem, "an object could not be judged and stays")
                }
            }
        }
        swept.next = paths
            .last()
            .filter(|_| paths.len() == OBJECTS as usize)
            .cloned();
        Ok(())
    }

    async fn is_orphan(&self, path: &ObjectPath) -> Result<bool, Problem> {
        let facts = self.facts(vec![orphans::ask(path)]).await?;
        orphans::is_orphan(path, &facts)
    }
}
