//! The time and the randomness of requests.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use wm_core::value::{Env, Sha256};

use crate::clock::now;

/// Where the time and the randomness of requests come from.
///
/// The system is asked for randomness once, at start, where its failure can be reported. Each request
/// gets the keyed hash of its number under that seed, which cannot fail and tells nothing of the others.
pub struct EnvSource {
    seed: [u8; 32],
    drawn: AtomicU64,
}

impl fmt::Debug for EnvSource {
    /// Without the seed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EnvSource").finish_non_exhaustive()
    }
}

impl EnvSource {
    /// A source over a fresh seed from the system's random generator.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }

    /// The time, and 32 bytes nobody had before.
    #[must_use]
    pub fn env(&self) -> Env {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let entropy = Sha256::keyed(&self.seed, &[&number.to_be_bytes()]);
        Env::new(now(), *entropy.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_share_their_randomness() {
        let source = EnvSource::new([1; 32]);
        let other = EnvSource::new([2; 32]);
        let drawn = [source.env(), source.env(), other.env()].map(|env| env.bytes("id"));
        assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2] && drawn[1] != drawn[2]);
    }
}
