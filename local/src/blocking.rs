//! File system work that blocks, kept off the threads that serve requests.

use std::{future::Future, io};

use wm_service::ports::{PortError, PortErrorKind};

/// Runs blocking work. It runs to its end, even if the caller stops waiting.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> impl Future<Output = io::Result<T>> + Send + Sync {
    let task = tokio::task::spawn_blocking(work);
    async move {
        task.await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// The port error for a failure of the file system.
pub(crate) fn port_error(error: io::Error) -> PortError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PortErrorKind::Full,
        _ => PortErrorKind::Unavailable,
    };
    PortError::new(kind, error)
}
