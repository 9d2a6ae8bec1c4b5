//! `sweep`: finishes what was interrupted, closes what expired, publishes what a broken relay left.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, Error};
use serde_json::Value;
use wm_service::{
    Outcome, Rounds, Service,
    ports::{PortError, Provider},
};

use super::{
    LeftForLater,
    start::{serve, start},
};
use crate::{config::Function, events::EventBus, surface::Aws};

/// A sweep begins nothing new this long before Lambda would end it.
const MARGIN: Duration = Duration::from_secs(10);

/// Runs the function.
///
/// # Errors
/// When it cannot be configured.
pub async fn sweep<P: Provider>(surface: impl FnOnce(Aws) -> P) -> Result<(), Error> {
    let equip =
        |aws: Aws, shared: &_, config: &_| surface(aws.with_events(EventBus::new(shared, config)));
    let service = start(Function::Sweep, equip).await?;
    let rounds = Rounds::default();
    serve(service, async |service: &_, _: Value, context: &Context| {
        run(service, &rounds, context.deadline()).await
    })
    .await
}

async fn run(
    service: &Service<impl Provider>,
    rounds: &Rounds,
    deadline: SystemTime,
) -> Result<Outcome, LeftForLater> {
    let time_left = || {
        let left = deadline.duration_since(SystemTime::now());
        left.is_ok_and(|left| left > MARGIN)
    };
    let outcome = service.sweep_round(rounds, time_left).await;
    let outcome = outcome.map_err(failed)?;
    tracing::info!(?outcome, "swept");
    Ok(outcome)
}

fn failed(error: PortError) -> LeftForLater {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    tracing::warn!(%error, cause, "the sweep failed");
    LeftForLater
}
