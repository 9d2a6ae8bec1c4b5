//! Outcomes of requests to signed URLs.

use reqwest::StatusCode;

use super::error::{TransferError, TransferErrorKind};
use crate::retry::Backoff;

/// The error of a request to a signed URL.
#[derive(Debug)]
pub(super) enum ObjectError {
    /// The same request may succeed later.
    Transient(TransferError),
    /// The URL expired. A new one may work.
    Expired,
    /// The object already exists.
    Present,
    /// A retry cannot succeed.
    Final(TransferError),
}

impl ObjectError {
    /// The error for an unsuccessful status.
    pub(super) fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            401 | 403 | 410 => Self::Expired,
            409 | 412 => Self::Present,
            408 | 429 | 500..=599 => Self::Transient(TransferErrorKind::StorageBusy(status).into()),
            _ => Self::Final(TransferErrorKind::StorageRefused(status).into()),
        }
    }

    /// The error for a request without an answer. It omits the URL, which is a secret.
    pub(super) fn unreachable(error: reqwest::Error) -> Self {
        let kind = TransferErrorKind::StorageUnreachable;
        Self::Transient(TransferError::because(kind, error.without_url()))
    }
}

impl From<TransferError> for ObjectError {
    fn from(error: TransferError) -> Self {
        Self::Final(error)
    }
}

impl From<TransferErrorKind> for ObjectError {
    fn from(kind: TransferErrorKind) -> Self {
        Self::Final(kind.into())
    }
}

/// Waits before the next attempt. Returns the error if it is not transient or no attempts are left.
pub(super) async fn wait(backoff: &mut Backoff, error: ObjectError) -> Result<(), ObjectError> {
    if !matches!(error, ObjectError::Transient(_)) {
        return Err(error);
    }
    match backoff.next(None) {
        Some(wait) => {
            tokio::time::sleep(wait).await;
            Ok(())
        }
        None => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_error_follows_the_status() {
        let of = |status| ObjectError::of(StatusCode::from_u16(status).unwrap());
        for status in [401, 403, 410] {
            assert!(matches!(of(status), ObjectError::Expired), "{status}");
        }
        for status in [409, 412] {
            assert!(matches!(of(status), ObjectError::Present), "{status}");
        }
        for status in [408, 429, 500, 503] {
            assert!(matches!(of(status), ObjectError::Transient(_)), "{status}");
        }
        for status in [400, 404, 413] {
            assert!(matches!(of(status), ObjectError::Final(_)), "{status}");
        }
    }
}
