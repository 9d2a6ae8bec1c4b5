//! What a node does beside answering: it publishes and delivers what was committed, completes uploads
//! that arrived, and sweeps.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{
        Notify,
        mpsc::{self, UnboundedReceiver},
        oneshot, watch,
    },
    task::JoinSet,
    time::sleep,
};
use wm_core::storage::ObjectPath;
use wm_service::{Service, ports::Provider};

use crate::data_directory::DataDirectory;

/// How often unpublished entries are looked for when nothing is committed: what failed before is
/// tried again.
const RELAY_PERIOD: Duration = Duration::from_secs(5);

/// How often the sweep runs.
const SWEEP_PERIOD: Duration = Duration::from_secs(60);

/// How often completing an upload is tried; the sweep closes what is left.
const INGEST_ATTEMPTS: u32 = 5;

/// Where somebody asks to be told once everything is done that there is to do now.
pub(super) type Settling = mpsc::Receiver<oneshot::Sender<()>>;

/// Told once that the node stops.
pub(super) type Stopping = watch::Receiver<bool>;

async fn stopped(stopping: &mut Stopping) {
    // The sender gone means the same.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Publishes until the node stops, and once more then, so that what the last requests committed is
/// on the bus before the node ends.
pub(super) async fn relay<P: Provider>(
    service: Arc<Service<P>>,
    committed: Arc<Notify>,
    mut settling: Settling,
    mut stopping: Stopping,
) {
    loop {
        let more = publish(&service).await;
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            () = std::future::ready(()), if more => {}
            () = committed.notified() => {}
            Some(done) = settling.recv() => {
                while !*stopping.borrow() && publish(&service).await {}
                let _ = done.send(());
            }
            () = sleep(RELAY_PERIOD) => {}
        }
    }
    publish(&service).await;
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

/// Completes every upload that arrived, until no server is left that could receive one.
pub(super) async fn ingest<P: Provider>(
    service: Arc<Service<P>>,
    mut created: UnboundedReceiver<ObjectPath>,
    mut settling: Settling,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            // First, so that whoever asks below is told of all that arrived before.
            biased;
            path = created.recv() => {
                let Some(path) = path else { break };
                let service = Arc::clone(&service);
                running.spawn(async move { complete(&service, &path).await });
                while running.try_join_next().is_some() {}
            }
            Some(done) = settling.recv() => {
                while running.join_next().await.is_some() {}
                let _ = done.send(());
            }
        }
    }
    while running.join_next().await.is_some() {}
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

/// Sweeps until the node stops: once a minute, and whenever somebody asks.
pub(super) async fn sweep<P: Provider>(
    service: Arc<Service<P>>,
    directory: Arc<DataDirectory>,
    mut settling: Settling,
    mut stopping: Stopping,
) {
    let mut after = None;
    loop {
        let asked = tokio::select! {
            () = stopped(&mut stopping) => return,
            Some(done) = settling.recv() => Some(done),
            () = sleep(SWEEP_PERIOD) => None,
        };
        after = sweep_once(&service, &directory, after).await;
        if let Some(done) = asked {
            let _ = done.send(());
        }
    }
}

/// Looks at everything but at objects behind this one only, answering behind which to go on.
async fn sweep_once(
    service: &Service<impl Provider>,
    directory: &DataDirectory,
    after: Option<ObjectPath>,
) -> Option<ObjectPath> {
    let now = service.provider().now();
    if let Err(error) = directory.records.collect_garbage(now).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "expired records stay for now"
        );
    }
    if let Err(error) = service.sweep().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the sweep failed");
    }
    match service.clear_objects(after).await {
        Ok(cleared) => cleared.next,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "objects nobody needs stay for now"
            );
            None
        }
    }
}
