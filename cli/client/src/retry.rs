//! The retry policy: number of attempts and waiting times.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The maximum number of attempts for one request.
const ATTEMPTS: u32 = 6;
/// The maximum wait after the first failure. It doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The maximum wait that a server can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Counts the failures of one request.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait before the next attempt: the time the server asked for, but at least a random time
    /// below a bound that doubles. `None` after the last attempt.
    pub(crate) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        if self.failures >= ATTEMPTS {
            return None;
        }
        let bound = FIRST_WAIT.saturating_mul(1 << (self.failures - 1));
        let jittered = bound.mul_f64(0.5 + fraction() / 2.0);
        Some(
            retry_after
                .unwrap_or_default()
                .max(jittered)
                .min(LONGEST_WAIT),
        )
    }

    /// Resets the count of failures, after progress.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// 64 random bits from the seeds of the hash maps of the standard library. They spread retries and
/// distinguish requests. They must not be used for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

#[expect(clippy::cast_precision_loss, reason = "only the magnitude matters")]
fn fraction() -> f64 {
    random() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_waits_longer_each_time_and_gives_up() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = std::iter::from_fn(|| backoff.next(None)).collect();
        assert_eq!(waits.len(), 5);
        for (wait, bound) in waits.iter().zip([250, 500, 1000, 2000, 4000]) {
            let bound = Duration::from_millis(bound);
            assert!(*wait >= bound / 2 && *wait <= bound, "{wait:?}");
        }
    }

    #[test]
    fn backoff_honours_retry_after_up_to_a_bound() {
        let ask = |seconds| Backoff::default().next(Some(Duration::from_secs(seconds)));
        assert_eq!(ask(3), Some(Duration::from_secs(3)));
        assert_eq!(ask(86_400), Some(LONGEST_WAIT));
    }
}
