//! What a node does beside answering: it publishes and delivers what was committed, completes uploads
//! that arrived, and sweeps.

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

use super::{NodeSweeper, Parts};

/// How often unpublished entries are looked for when nothing is committed: what failed before is
/// tried again.
const RELAY_PERIOD: Duration = Duration::from_secs(5);

/// How often the sweep runs.
const SWEEP_PERIOD: Duration = Duration::from_secs(60);

/// How often completing an upload is tried; the sweep closes what is left.
const INGEST_ATTEMPTS: u32 = 5;

/// How long the tasks may go on once the last request is answered.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(800);

/// The tasks of a node: relay, ingest and sweep. Dropping it aborts them.
#[derive(Debug)]
pub struct Background {
    arrivals: UnboundedSender<ObjectPath>,
    drains: Drains,
    /// Nothing is sent: the sweep ends when this is dropped.
    sweep: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl Background {
    /// Starts the tasks on the present runtime.
    #[must_use]
    pub fn start<P: Provider>(parts: &Parts, service: &Arc<Service<P>>) -> Self {
        let (arrivals, arrived) = mpsc::unbounded_channel();
        let (relay, relay_drains) = mpsc::channel(1);
        let (ingest, ingest_drains) = mpsc::channel(1);
        let (sweep, stopped) = oneshot::channel();
        let committed = Arc::clone(&parts.committed);
        let sweeper = NodeSweeper::new(parts, service);
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

    /// Where the server reports each object that was uploaded.
    #[must_use]
    pub fn arrivals(&self) -> UnboundedSender<ObjectPath> {
        self.arrivals.clone()
    }

    /// Completes every upload that arrived by now, and publishes and mails everything that was
    /// committed, as far as that works at present.
    pub async fn drain(&self) {
        self.drains.drain().await;
    }

    /// Drains and ends the tasks. Aborts what is not done after 800 ms.
    pub async fn shutdown(self) {
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

/// A request to finish all work there is now, answered once that is done.
type DrainRequest = oneshot::Sender<()>;

/// Where the tasks take drain requests. They end when it is dropped.
#[derive(Debug)]
struct Drains {
    relay: Sender<DrainRequest>,
    ingest: Sender<DrainRequest>,
}

impl Drains {
    async fn drain(&self) {
        // Together, because what was committed must not wait for an upload that takes long.
        tokio::join!(drained(&self.relay), drained(&self.ingest));
        // What completing the uploads committed.
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

/// Publishes what is committed.
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

/// Whether there is more to publish right away.
async fn publish(service: &Service<impl Provider>) -> bool {
    match service
        .relay(|event| async move { service.notify(&event).await })
        .await
    {
        Ok(relayed) => relayed.more,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "nothing was published"
            );
            false
        }
    }
}

/// Completes every upload that arrives.
async fn run_ingest<P: Provider>(
    service: Arc<Service<P>>,
    mut arrived: UnboundedReceiver<ObjectPath>,
    mut drains: Receiver<DrainRequest>,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            // First, so that a drain includes every upload that arrived before it.
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
        tracing::warn!(%problem, internal = problem.internal, attempt, "an upload was not completed");
        sleep(Duration::from_secs(1)).await;
    }
}

/// Sweeps once a minute.
async fn run_sweep<P: Provider>(sweeper: NodeSweeper<P>, mut stopped: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            () = sleep(SWEEP_PERIOD) => {}
        }
        sweeper.run().await;
    }
}
