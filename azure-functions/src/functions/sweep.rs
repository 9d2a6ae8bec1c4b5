//! `sweep`: finishes what was interrupted, closes what expired, publishes what a broken relay left.

use std::{
    error::Error,
    sync::LazyLock,
    time::{Duration, Instant},
};

use wm_service::{Rounds, Service, ports::Provider};

use super::LeftForLater;

/// A sweep begins nothing new after this time: `host.json` ends functions after five minutes.
const TIME: Duration = Duration::from_secs(4 * 60);

/// How far the look at all objects has come. One in a process, as the timer is.
static ROUNDS: LazyLock<Rounds> = LazyLock::new(Rounds::default);

pub(super) async fn run(service: &Service<impl Provider>) -> Result<(), LeftForLater> {
    let begun = Instant::now();
    let time_left = || begun.elapsed() < TIME;
    let swept = service.sweep_round(&ROUNDS, time_left).await;
    let outcome = swept.map_err(|error| {
        let cause = error.source().map(ToString::to_string);
        tracing::warn!(%error, cause, "the sweep failed");
        LeftForLater
    })?;
    tracing::info!(?outcome, "swept");
    Ok(())
}
