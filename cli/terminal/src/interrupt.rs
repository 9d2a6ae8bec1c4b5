//! Ctrl-C.

use crate::failure::Failure;

/// Stops where Ctrl-C finds it. What was under way is picked up by the same command.
///
/// # Errors
/// What the work fails with, and when it is interrupted.
pub async fn interruptible(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::new(
            "interrupted; run the same command again to go on where it stopped",
        )),
    }
}
