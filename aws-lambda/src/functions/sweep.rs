//! `sweep`: finishes what was interrupted, closes what expired, publishes what a broken relay left.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use lambda_runtime::{Context, Error};
use serde::Serialize;
use serde_json::Value;
use wm_core::{storage::ObjectPath, value::Timestamp};
use wm_service::ports::{PortError, Provider};

use super::{
    Application, LeftForLater,
    start::{serve, start},
};
use crate::{config::Function, events::EventBus};

/// A sweep begins nothing new this long before Lambda would end it.
const MARGIN: Duration = Duration::from_secs(10);
/// All objects are looked at once in this time. Each look reads a record, and that is what it costs.
const ROUND: Duration = Duration::from_hours(24);

/// What an invocation did; also its answer.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    published: usize,
    unpublished: usize,
    finished: usize,
    failed: usize,
    removed: usize,
}

/// How far the look at all objects has come. Forgotten with the process: another one begins anew.
#[derive(Debug, Clone, Default)]
enum Round {
    /// It begins.
    #[default]
    Due,
    /// It goes on behind this object.
    Behind(ObjectPath),
    /// It ended then.
    Ended(Timestamp),
}

impl Round {
    /// Where to go on, if anywhere.
    fn place(self, now: Timestamp) -> Option<Option<ObjectPath>> {
        match self {
            Self::Due => Some(None),
            Self::Behind(path) => Some(Some(path)),
            Self::Ended(at) => (now >= at.after(ROUND)).then_some(None),
        }
    }
}

/// Runs the function.
///
/// # Errors
/// When it cannot be configured.
pub async fn sweep() -> Result<(), Error> {
    let equip = |aws: crate::surface::Aws, shared: &_, config: &_| {
        aws.with_events(EventBus::new(shared, config))
    };
    let service = start(Function::Sweep, equip).await?;
    let round = Mutex::default();
    serve(service, async |service: &_, _: Value, context: &Context| {
        let begun = lock(&round).clone();
        let deadline = context.deadline();
        let (outcome, round_now) = run(service, begun, deadline).await.map_err(failed)?;
        *lock(&round) = round_now;
        tracing::info!(?outcome, "swept");
        Ok(outcome)
    })
    .await
}

fn lock(round: &Mutex<Round>) -> MutexGuard<'_, Round> {
    round.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn run(
    service: &Application,
    mut round: Round,
    deadline: SystemTime,
) -> Result<(Outcome, Round), PortError> {
    let time_left = || {
        let left = deadline.duration_since(SystemTime::now());
        left.is_ok_and(|left| left > MARGIN)
    };
    let mut outcome = Outcome::default();
    loop {
        let relayed = service.relay(|_| async { true }).await?;
        outcome.published += relayed.published;
        outcome.unpublished = relayed.failed;
        if !relayed.more || !time_left() {
            break;
        }
    }
    let swept = service.sweep().await?;
    (outcome.finished, outcome.failed) = (swept.finished, swept.failed);
    while time_left() {
        let now = service.provider().env().now;
        let Some(after) = round.clone().place(now) else {
            break;
        };
        let cleared = service.clear_objects(after).await?;
        outcome.removed += cleared.removed;
        round = cleared.next.map_or(Round::Ended(now), Round::Behind);
    }
    Ok((outcome, round))
}

fn failed(error: PortError) -> LeftForLater {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    tracing::warn!(%error, cause, "the sweep failed");
    LeftForLater
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_ends_and_the_next_one_waits_its_time() {
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(Round::Due.place(now), Some(None));
        assert_eq!(Round::Ended(now).place(now), None);
        assert_eq!(Round::Ended(now).place(now.after(ROUND)), Some(None));
    }
}
