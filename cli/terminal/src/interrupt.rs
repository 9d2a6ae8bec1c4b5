//! Ctrl-C.

use crate::failure::Failure;

/// Runs work until it ends or Ctrl-C stops it. The same command continues interrupted work.
///
/// # Errors
/// The failure of the work, or the interruption.
pub async fn interruptible(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::new(
            "interrupted; run the same command again to continue",
        )),
    }
}
