//! Version vectors.

use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::value::SurfaceId;

/// A version vector: for each surface, the number of its writes that this record includes. Every
/// record has one from its first write, so that synchronisation between surfaces needs no
/// migration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clock(BTreeMap<SurfaceId, u64>);

impl Clock {
    /// The clock after one more write on this surface.
    #[must_use]
    pub fn advanced(&self, surface: SurfaceId) -> Self {
        let mut next = self.clone();
        let counter = next.0.entry(surface).or_default();
        *counter = counter.saturating_add(1);
        next
    }

    /// The number of writes of all surfaces. It is the version of the record.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0
            .values()
            .fold(0, |sum, writes| sum.saturating_add(*writes))
    }
}
