//! What a kit reports, as the ports tell it.

use std::error::Error;

use azure_core::{error::ErrorKind, http::StatusCode};
use wm_service::ports::{PortError, PortErrorKind};

/// The port's failure. Its source holds the service's own words, which go to the log and to no caller.
pub(crate) fn port_error(error: azure_core::Error) -> PortError {
    PortError::new(kind(&error), error)
}

fn kind(error: &azure_core::Error) -> PortErrorKind {
    match error.kind() {
        ErrorKind::HttpResponse { status, .. } => status_kind(*status),
        ErrorKind::Connection | ErrorKind::Io => PortErrorKind::Unavailable,
        // There was no token, so nothing was asked: what counts is why there was none.
        ErrorKind::Credential => error
            .source()
            .and_then(|cause| cause.downcast_ref())
            .map_or(PortErrorKind::Refused, kind),
        _ => PortErrorKind::Refused,
    }
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
