//! Reports of progress to the caller.

use std::fmt;

/// The activity of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading a file to compute its digest.
    Reading,
    /// Sending bytes.
    Uploading,
    /// Receiving bytes.
    Downloading,
}

/// Observes transfers. The phases of a transfer follow one another. A retried download begins its
/// phase again.
pub trait Progress: fmt::Debug + Send + Sync {
    /// Begins a phase of `size` bytes. `name` is the path of the file, or the file name that the
    /// surface sent.
    fn begin(&self, phase: Phase, name: &str, size: u64) -> Box<dyn ProgressMeter>;
}

/// Shows the progress of one phase. It is dropped if the phase fails.
pub trait ProgressMeter: Send + Sync {
    /// The number of bytes done. It can decrease if bytes must be sent again.
    fn set(&self, position: u64);

    /// The phase succeeded.
    fn finish(&self);
}

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
