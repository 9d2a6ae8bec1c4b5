//! Errors of the SDK as port errors.

use aws_smithy_runtime_api::client::{
    orchestrator::HttpResponse,
    result::{SdkError, ServiceError},
};
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata};
use wm_service::ports::{PortError, PortErrorKind};

/// Error codes for throttling, from the lists of common errors of the services.
const THROTTLED: &[&str] = &[
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
];

/// The port error. Its source is the service's own message, which goes to the log only.
pub(crate) fn port_error<E>(error: SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let kind = match &error {
        SdkError::ConstructionFailure(_) => PortErrorKind::Refused,
        SdkError::ServiceError(refusal) => service_kind(refusal),
        // The request was not sent, was not answered, or the answer broke off. Its effect is
        // unknown.
        _ => PortErrorKind::Unavailable,
    };
    PortError::new(kind, DisplayErrorContext(&error).to_string())
}

fn service_kind<E: ProvideErrorMetadata>(refusal: &ServiceError<E, HttpResponse>) -> PortErrorKind {
    let status = refusal.raw().status();
    let throttled = refusal
        .err()
        .code()
        .is_some_and(|code| THROTTLED.contains(&code));
    if throttled || status.as_u16() == 429 {
        PortErrorKind::Throttled
    } else if status.is_server_error() {
        PortErrorKind::Unavailable
    } else {
        PortErrorKind::Refused
    }
}
