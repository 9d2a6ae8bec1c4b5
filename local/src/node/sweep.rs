//! The sweep of a node.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use wm_service::{Service, ports::Provider, sweeper::Sweeper};

use super::Parts;
use crate::data_directory::DataDirectory;

/// The time after which a walk over all scopes pauses until the next sweep, so that other work of the
/// sweep is not late.
const WALK: Duration = Duration::from_secs(10);

/// Sweeps a node. In addition to the sweeper of every surface, it removes expired records, which
/// the database of a cloud removes by itself.
pub struct NodeSweeper<P> {
    service: Arc<Service<P>>,
    directory: Arc<DataDirectory>,
    sweeper: Sweeper<P>,
}

impl<P: Provider> NodeSweeper<P> {
    /// Reads are free here, so collections follow one another without an interval.
    pub(super) fn new(parts: &Parts<P>) -> Self {
        Self {
            service: Arc::clone(&parts.service),
            directory: Arc::clone(&parts.directory),
            sweeper: Sweeper::new(Arc::clone(&parts.service), Duration::ZERO),
        }
    }

    /// Removes expired records, finishes due jobs, walks over all scopes and collects one page of
    /// orphans. A failed step is logged, and the next run retries it.
    pub async fn run(&self) {
        let now = self.service.provider().now();
        let expired = self.directory.records.collect_garbage(now).await;
        if let Err(error) = expired {
            let error = &error as &dyn Error;
            tracing::warn!(error, "could not remove expired records");
        }
        if let Err(error) = self.sweeper.finish_jobs().await {
            let error = &error as &dyn Error;
            tracing::warn!(error, "the sweep failed");
        }
        let began = Instant::now();
        let time_left = || began.elapsed() < WALK;
        while time_left() && self.sweeper.walk(time_left).await {}
        if let Err(error) = self.sweeper.collect_orphans().await {
            let error = &error as &dyn Error;
            tracing::warn!(error, "could not collect orphaned objects");
        }
    }
}
