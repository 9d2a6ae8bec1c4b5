//! Counting the bytes of one phase.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::progress::{NoProgress, Phase, Progress, ProgressMeter};

/// The position of a phase, updated by concurrent requests and reported to a [`ProgressMeter`].
#[derive(Clone)]
pub(super) struct Meter {
    shared: Arc<Shared>,
}

struct Shared {
    position: AtomicU64,
    meter: Box<dyn ProgressMeter>,
}

impl Meter {
    pub(super) fn begin(progress: &dyn Progress, phase: Phase, name: &str, size: u64) -> Self {
        Self::new(progress.begin(phase, name, size))
    }

    pub(super) fn silent() -> Self {
        Self::new(Box::new(NoProgress))
    }

    fn new(meter: Box<dyn ProgressMeter>) -> Self {
        let position = AtomicU64::new(0);
        Self {
            shared: Arc::new(Shared { position, meter }),
        }
    }

    pub(super) fn position(&self) -> u64 {
        self.shared.position.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: u64) {
        let before = self.shared.position.fetch_add(bytes, Ordering::Relaxed);
        self.shared.meter.set(before.saturating_add(bytes));
    }

    pub(super) fn subtract(&self, bytes: u64) {
        let before = self.shared.position.fetch_sub(bytes, Ordering::Relaxed);
        self.shared.meter.set(before.saturating_sub(bytes));
    }

    pub(super) fn set(&self, position: u64) {
        self.shared.position.store(position, Ordering::Relaxed);
        self.shared.meter.set(position);
    }

    pub(super) fn finish(&self) {
        self.shared.meter.finish();
    }
}
