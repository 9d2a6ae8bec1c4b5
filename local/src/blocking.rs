//! Work that blocks on the file system, kept away from the threads that serve requests.

use std::{future::Future, io};

use wm_service::ports::{PortError, PortErrorKind};

/// Runs something that blocks. It runs to its end even if nobody waits for it any more.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> impl Future<Output = io::Result<T>> + Send + Sync {
    let task = tokio::task::spawn_blocking(work);
    async move {
        task.await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// What a failure of the file system is to a port.
pub(crate) fn port_error(error: io::Error) -> PortError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PortErrorKind::Full,
        _ => PortErrorKind::Unavailable,
    };
    PortError::new(kind, error)
}
