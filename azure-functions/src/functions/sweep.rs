//! `sweep`: finishes interrupted work, closes expired work and publishes entries that the relay
//! missed.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use wm_service::{ports::Provider, sweeper::Sweeper};

use super::RetryLater;

/// The sweeper starts no further step after this time. `host.json` ends functions after five
/// minutes.
const TIME: Duration = Duration::from_secs(4 * 60);

pub(super) async fn run(sweeper: &Sweeper<impl Provider>) -> Result<(), RetryLater> {
    let begun = Instant::now();
    let time_left = || begun.elapsed() < TIME;
    let outcome = sweeper.run(time_left).await.map_err(|error| {
        let cause = error.source().map(ToString::to_string);
        tracing::warn!(%error, cause, "the sweep failed");
        RetryLater
    })?;
    tracing::info!(?outcome, "swept");
    Ok(())
}
