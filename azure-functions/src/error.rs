//! What a kit reports, as the ports tell it.

use azure_core::{error::ErrorKind, http::StatusCode};
use wm_service::ports::{PortError, PortErrorKind};

/// The port's failure. Its source holds the service's own words, which go to the log and to no caller.
pub(crate) fn port_error(error: azure_core::Error) -> PortError {
    let kind = match error.kind() {
        ErrorKind::HttpResponse { status, .. } => status_kind(*status),
        ErrorKind::Connection | ErrorKind::Io => PortErrorKind::Unavailable,
        _ => PortErrorKind::Refused,
    };
    PortError::new(kind, error)
}

/// What an answer with this status means.
pub(crate) fn status_kind(status: StatusCode) -> PortErrorKind {
    if status == StatusCode::TooManyRequests {
        PortErrorKind::Throttled
    } else if status.is_server_error() || status == StatusCode::RequestTimeout {
        PortErrorKind::Unavailable
    } else {
        PortErrorKind::Refused
    }
}
