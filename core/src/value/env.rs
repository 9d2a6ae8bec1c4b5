//! What the outside world contributes to a decision, as a value: the time and randomness.

use ulid::Ulid;

use super::{
    Sha256, Timestamp,
    id::{Id, ulid_at},
};

/// The one clock and the one source of randomness of a decision.
///
/// The same `Env` always yields the same ids, so a decision can be taken again, compared and replayed.
#[derive(Clone)]
pub struct Env {
    /// The time of the request.
    pub now: Timestamp,
    entropy: [u8; 32],
}

impl core::fmt::Debug for Env {
    /// Without the entropy: salts come from it.
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

    /// 32 bytes that depend on the entropy and the label only.
    #[must_use]
    pub fn bytes(&self, label: &str) -> [u8; 32] {
        *Sha256::keyed(&self.entropy, &[label.as_bytes()]).as_bytes()
    }

    /// Another environment of the same moment, for work that follows from this one's.
    #[must_use]
    pub fn derived(&self, label: &str) -> Self {
        Self::new(self.now, self.bytes(label))
    }

    /// A ULID of this moment; another label gives another one.
    #[must_use]
    pub fn ulid(&self, label: &str) -> Ulid {
        ulid_at(self.now, &self.bytes(label))
    }

    /// An id of this moment; another label gives another one.
    #[must_use]
    pub fn id<T: Id>(&self, label: &str) -> T {
        T::from_ulid(self.ulid(label))
    }
}
