//! Reports of progress to the caller.

use std::fmt;

/// What a transfer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading a file for its digest.
    Reading,
    /// Sending bytes.
    Uploading,
    /// Receiving bytes.
    Downloading,
}

/// Observes transfers. A transfer begins one phase after another; a retried download begins its phase again.
pub trait Progress: fmt::Debug + Send + Sync {
    /// Begins a phase over `size` bytes. `name` is the path of the file, or the file name of the version, as the
    /// surface sent it.
    fn begin(&self, phase: Phase, name: &str, size: u64) -> Box<dyn ProgressMeter>;
}

/// Shows one phase. It is dropped when the phase fails.
pub trait ProgressMeter: Send + Sync {
    /// Bytes done so far. Fewer than before when bytes have to be sent again.
    fn set(&self, position: u64);

    /// The phase succeeded.
    fn finish(&self);
}

/// Reports nothing.
#[derive(Debug)]
pub(super) struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _: Phase, _: &str, _: u64) -> Box<dyn ProgressMeter> {
        Box::new(Self)
    }
}

impl ProgressMeter for NoProgress {
    fn set(&self, _: u64) {}

    fn finish(&self) {}
}
