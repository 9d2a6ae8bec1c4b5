//! `sweep`: finishes interrupted work, closes expired work and publishes entries that the relay
//! missed.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use lambda_runtime::{Context, Error};
use serde_json::Value;
use wm_core::storage::WorkPartitions;
use wm_service::{
    Service,
    ports::{PortError, Provider},
    sweeper::{BILLED_COLLECTION_INTERVAL, Outcome, Sweeper},
};

use super::{RetryLater, start::serve};

/// The sweeper starts no further step in this time before the timeout of the function.
const MARGIN: Duration = Duration::from_secs(10);

/// Runs the function. It raises the number of partitions of unfinished work to `work_partitions`.
///
/// # Errors
/// If the runtime interface of Lambda does not answer.
pub async fn sweep<P: Provider>(
    service: Service<P>,
    work_partitions: WorkPartitions,
) -> Result<(), Error> {
    let sweeper = Sweeper::new(Arc::new(service), BILLED_COLLECTION_INTERVAL)
        .with_work_partitions(work_partitions);
    serve(sweeper, sweep_once).await
}

async fn sweep_once(
    sweeper: &Sweeper<impl Provider>,
    _: Value,
    context: &Context,
) -> Result<Outcome, RetryLater> {
    let deadline = context.deadline();
    let time_left = || {
        let remaining = deadline.duration_since(SystemTime::now());
        remaining.is_ok_and(|time| time > MARGIN)
    };
    let outcome = sweeper.run(time_left).await.map_err(failed)?;
    tracing::info!(?outcome, "swept");
    Ok(outcome)
}

fn failed(error: PortError) -> RetryLater {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    tracing::warn!(%error, cause, "the sweep failed");
    RetryLater
}
