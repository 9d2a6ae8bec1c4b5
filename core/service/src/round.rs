//! One run of the sweep, as a timer asks for it: publish, finish, and look at objects for as long as
//! there is time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use wm_core::{storage::ObjectPath, value::Timestamp};

use crate::{
    Service,
    ports::{PortError, Provider},
};

/// All objects are looked at once in this time. Each look reads a record, and that is what it costs.
const ROUND: Duration = Duration::from_hours(24);

/// What one run of the sweep did; also what a function answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Entries published that no relay had published.
    pub published: usize,
    /// Entries that stay unpublished for now.
    pub unpublished: usize,
    /// Pieces of work finished.
    pub finished: usize,
    /// Pieces of work that failed and stay for the next run.
    pub failed: usize,
    /// Objects removed that no record needs.
    pub removed: usize,
}

/// How far the look at all objects has come. Forgotten with the process: another one begins anew.
#[derive(Debug, Default)]
pub struct Rounds(Mutex<Round>);

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

impl Rounds {
    fn lock(&self) -> MutexGuard<'_, Round> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Provider> Service<P> {
    /// Runs the sweep once. It begins nothing more once `time_left` says no; whatever is then undone is
    /// the next run's.
    ///
    /// # Errors
    /// When unfinished work or objects cannot be listed, or an object cannot be removed.
    pub async fn sweep_round(
        &self,
        rounds: &Rounds,
        time_left: impl Fn() -> bool + Sync,
    ) -> Result<Outcome, PortError> {
        let mut outcome = Outcome::default();
        loop {
            let relayed = self.relay(|_| async { true }).await?;
            outcome.published += relayed.published;
            outcome.unpublished = relayed.failed;
            if !relayed.more || !time_left() {
                break;
            }
        }
        let swept = self.sweep().await?;
        (outcome.finished, outcome.failed) = (swept.finished, swept.failed);
        while time_left() {
            let now = self.provider().now();
            let place = rounds.lock().clone().place(now);
            let Some(after) = place else {
                break;
            };
            let cleared = self.clear_objects(after).await?;
            outcome.removed += cleared.removed;
            *rounds.lock() = cleared.next.map_or(Round::Ended(now), Round::Behind);
        }
        Ok(outcome)
    }
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
