//! `sweep`: finishes what was interrupted, closes what expired, publishes what a broken relay left.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use lambda_runtime::{Context, Error};
use serde::Serialize;
use serde_json::Value;
use wm_core::storage::ObjectPath;

use super::{
    Application, LeftForLater,
    start::{serve, start},
};
use crate::{config::Function, events::EventBus};

/// A sweep begins nothing new this long before Lambda would end it.
const MARGIN: Duration = Duration::from_secs(10);

/// What an invocation did; also its answer.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    published: usize,
    unpublished: usize,
    finished: usize,
    failed: usize,
    removed: usize,
}

/// Where the next sweep goes on looking at objects. Forgotten with the process, and then a sweep
/// begins at the first object again.
type Next = Mutex<Option<ObjectPath>>;

/// Runs the function.
///
/// # Errors
/// When it cannot be configured.
pub async fn sweep() -> Result<(), Error> {
    let equip = |aws: crate::surface::Aws, shared: &_, config: &_| {
        aws.with_events(EventBus::new(shared, config))
    };
    let service = start(Function::Sweep, equip).await?;
    let next = Next::default();
    serve(service, async |service: &_, _: Value, context: &Context| {
        run(service, &next, context.deadline()).await
    })
    .await
}

async fn run(
    service: &Application,
    next: &Next,
    deadline: SystemTime,
) -> Result<Outcome, LeftForLater> {
    let time_left = || {
        let left = deadline.duration_since(SystemTime::now());
        left.is_ok_and(|left| left > MARGIN)
    };
    let mut outcome = Outcome::default();
    loop {
        let relayed = service.relay(|_| async { true }).await.map_err(failed)?;
        outcome.published += relayed.published;
        outcome.unpublished = relayed.failed;
        if !relayed.more || !time_left() {
            break;
        }
    }
    loop {
        let after = next.lock().unwrap_or_else(PoisonError::into_inner).take();
        let swept = service.sweep(after).await.map_err(failed)?;
        outcome.finished += swept.finished;
        outcome.failed = swept.failed;
        outcome.removed += swept.removed;
        let more = swept.next.is_some();
        *next.lock().unwrap_or_else(PoisonError::into_inner) = swept.next;
        if !more || !time_left() {
            break;
        }
    }
    tracing::info!(?outcome, "swept");
    Ok(outcome)
}

fn failed(error: wm_service::ports::PortError) -> LeftForLater {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    tracing::warn!(%error, cause, "the sweep failed");
    LeftForLater
}
