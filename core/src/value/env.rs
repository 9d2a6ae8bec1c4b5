//! Time and randomness, as a value.

use ulid::Ulid;

use super::{
    Sha256, Timestamp,
    id::{Id, ulid_at},
};

/// The clock and the source of randomness of one decision.
///
/// The same `Env` always yields the same ids, so a decision can be repeated, compared and replayed.
#[derive(Clone)]
pub struct Env {
    /// The time of the request.
    pub now: Timestamp,
    entropy: [u8; 32],
}

impl core::fmt::Debug for Env {
    /// Omits the entropy, because salts are derived from it.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Env")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Env {
    /// An environment from a clock reading and 32 random bytes.
    #[must_use]
    pub fn new(now: Timestamp, entropy: [u8; 32]) -> Self {
        Self { now, entropy }
    }

    /// 32 bytes that depend only on the entropy and the label.
    #[must_use]
    pub fn bytes(&self, label: &str) -> [u8; 32] {
        *Sha256::keyed(&self.entropy, &[label.as_bytes()]).as_bytes()
    }

    /// Another environment with the same time, for work that follows from this decision.
    #[must_use]
    pub fn derived(&self, label: &str) -> Self {
        Self::new(self.now, self.bytes(label))
    }

    /// A ULID with the time of this environment. Different labels give different ULIDs.
    #[must_use]
    pub fn ulid(&self, label: &str) -> Ulid {
        ulid_at(self.now, &self.bytes(label))
    }

    /// An id with the time of this environment. Different labels give different ids.
    #[must_use]
    pub fn id<T: Id>(&self, label: &str) -> T {
        T::from_ulid(self.ulid(label))
    }
}
