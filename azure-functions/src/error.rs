//! Errors of the SDK as port errors.

use std::error::Error;

use azure_core::{error::ErrorKind, http::StatusCode};
use wm_service::ports::{PortError, PortErrorKind};

/// The port error. Its source is the service's own message, which goes to the log only.
pub(crate) fn port_error(error: azure_core::Error) -> PortError {
    PortError::new(kind(&error), error)
}

fn kind(error: &azure_core::Error) -> PortErrorKind {
    match error.kind() {
        ErrorKind::HttpResponse { status, .. } => status_kind(*status),
        ErrorKind::Connection | ErrorKind::Io => PortErrorKind::Unavailable,
        // Without a token, no request was sent. The reason for the missing token decides.
        ErrorKind::Credential => error
            .source()
            .and_then(|cause| cause.downcast_ref())
            .map_or(PortErrorKind::Refused, kind),
        _ => PortErrorKind::Refused,
    }
}

/// The port error for this HTTP status.
pub(crate) fn status_kind(status: StatusCode) -> PortErrorKind {
    if status == StatusCode::TooManyRequests {
        PortErrorKind::Throttled
    } else if status.is_server_error() || status == StatusCode::RequestTimeout {
        PortErrorKind::Unavailable
    } else {
        PortErrorKind::Refused
    }
}
