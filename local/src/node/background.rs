//! Background tasks of a node: publishing and delivering events, completing uploads after their
//! bytes arrive, and sweeping.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{
        Notify,
        mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender},
        oneshot,
    },
    task::JoinSet,
    time::{sleep, timeout},
};
use wm_core::storage::ObjectPath;
use wm_service::{Service, ports::Provider};

use super::{Parts, sweep::NodeSweeper};

/// The interval between two looks for unpublished entries without a new commit. It retries entries
/// that failed before.
const RELAY_PERIOD: Duration = Duration::from_secs(5);

/// The interval of the sweep.
const SWEEP_PERIOD: Duration = Duration::from_secs(60);

/// The maximum number of attempts to complete an upload. After that, the sweep closes it.
const INGEST_ATTEMPTS: u32 = 5;

/// The time that the tasks have after the last request.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(800);

/// The tasks of a node: relay, ingest and sweep. Dropping this value aborts them.
#[derive(Debug)]
pub struct Background {
    arrivals: UnboundedSender<ObjectPath>,
    drains: Drains,
    /// Only closed, never sent: the sweep ends when this sender is dropped.
    sweep: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl Background {
    /// Starts the tasks on the current runtime.
    pub(super) fn start<P: Provider>(parts: &Parts<P>) -> Self {
        let service = &parts.service;
        let (arrivals, arrived) = mpsc::unbounded_channel();
        let (relay, relay_drains) = mpsc::channel(1);
        let (ingest, ingest_drains) = mpsc::channel(1);
        let (sweep, stopped) = oneshot::channel();
        let committed = Arc::clone(&parts.committed);
        let sweeper = parts.sweeper();
        let mut tasks = JoinSet::new();
        tasks.spawn(run_relay(Arc::clone(service), committed, relay_drains));
        tasks.spawn(run_ingest(Arc::clone(service), arrived, ingest_drains));
        tasks.spawn(run_sweep(sweeper, stopped));
        Self {
            arrivals,
            drains: Drains { relay, ingest },
            sweep,
            tasks,
        }
    }

    /// The channel on which the server reports each uploaded object.
    pub(super) fn arrivals(&self) -> UnboundedSender<ObjectPath> {
        self.arrivals.clone()
    }

    /// Requests to finish current work. The tasks end only after every clone is dropped.
    #[must_use]
    pub fn drains(&self) -> Drains {
        self.drains.clone()
    }

    /// Drains and ends the tasks. Aborts unfinished work after 800 ms.
    pub(super) async fn shutdown(self) {
        let Self {
            drains,
            sweep,
            mut tasks,
            ..
        } = self;
        let end = async {
            drop(sweep);
            drains.drain().await;
            drop(drains);
            while tasks.join_next().await.is_some() {}
        };
        let _ = timeout(SHUTDOWN_TIMEOUT, end).await;
        tasks.shutdown().await;
    }
}

/// A request to finish all current work, answered after it is done.
type DrainRequest = oneshot::Sender<()>;

/// The channels for drain requests. The tasks end when they are dropped.
#[derive(Debug, Clone)]
pub struct Drains {
    relay: Sender<DrainRequest>,
    ingest: Sender<DrainRequest>,
}

impl Drains {
    /// Completes every upload whose bytes arrived so far, and publishes and mails all committed
    /// entries, as far as the ports work now.
    pub async fn drain(&self) {
        // In parallel, because committed entries must not wait for a long upload.
        tokio::join!(drained(&self.relay), drained(&self.ingest));
        // Publishes the commits that completed the uploads.
        drained(&self.relay).await;
    }
}

/// Waits until a task has drained. A task that has ended has nothing to drain.
async fn drained(task: &Sender<DrainRequest>) {
    let (request, done) = oneshot::channel();
    if task.send(request).await.is_ok() {
        let _ = done.await;
    }
}

/// Publishes committed entries.
async fn run_relay<P: Provider>(
    service: Arc<Service<P>>,
    committed: Arc<Notify>,
    mut drains: Receiver<DrainRequest>,
) {
    loop {
        let more = publish(&service).await;
        tokio::select! {
            biased;
            () = std::future::ready(()), if more => {}
            () = committed.notified() => {}
            request = drains.recv() => {
                let Some(done) = request else { return };
                while publish(&service).await {}
                let _ = done.send(());
            }
            () = sleep(RELAY_PERIOD) => {}
        }
    }
}

/// Publishes once. Returns whether more entries are ready now.
async fn publish(service: &Service<impl Provider>) -> bool {
    match service
        .relay(|event| async move { service.notify(&event).await })
        .await
    {
        Ok(relayed) => relayed.more,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not publish entries"
            );
            false
        }
    }
}

/// Completes every upload whose bytes arrive.
async fn run_ingest<P: Provider>(
    service: Arc<Service<P>>,
    mut arrived: UnboundedReceiver<ObjectPath>,
    mut drains: Receiver<DrainRequest>,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            // Arrivals come first, so that a drain includes every upload that arrived before it.
            biased;
            Some(path) = arrived.recv() => {
                let service = Arc::clone(&service);
                running.spawn(async move { complete(&service, &path).await });
                while running.try_join_next().is_some() {}
            }
            request = drains.recv() => {
                let Some(done) = request else { return };
                while running.join_next().await.is_some() {}
                let _ = done.send(());
            }
        }
    }
}

async fn complete(service: &Service<impl Provider>, path: &ObjectPath) {
    for attempt in 1..=INGEST_ATTEMPTS {
        let Err(problem) = service.ingest(path).await else {
            return;
        };
        tracing::warn!(%problem, internal = problem.internal, attempt, "could not complete an upload");
        sleep(Duration::from_secs(1)).await;
    }
}

/// Sweeps once per minute.
async fn run_sweep<P: Provider>(sweeper: NodeSweeper<P>, mut stopped: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            () = sleep(SWEEP_PERIOD) => {}
        }
        sweeper.run().await;
    }
}
