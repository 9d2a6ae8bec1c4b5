//! Errors of the setup.

use std::{error::Error, fmt};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::{metadata::ProvideErrorMetadata, operation::BuildError};
use wm_deploy::service_error::{ServiceError, innermost};
use wm_terminal::failure::Failure;

/// The reason why the setup stops.
#[derive(Debug)]
pub enum SetupError {
    /// The current state cannot be corrected. Nothing was changed. Each text names one difference
    /// and what to do.
    Refused(Vec<String>),
    /// A service refused or failed.
    Service(ServiceError),
    /// A request could not be built.
    Request(BuildError),
}

impl fmt::Display for SetupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reasons) => formatter.write_str(&reasons.join("; ")),
            Self::Service(error) => error.fmt(formatter),
            Self::Request(_) => {
                formatter.write_str("a request could not be built: please report this")
            }
        }
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Service(error) => error.source(),
            Self::Request(error) => Some(error),
            Self::Refused(_) => None,
        }
    }
}

impl From<ServiceError> for SetupError {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<BuildError> for SetupError {
    fn from(error: BuildError) -> Self {
        Self::Request(error)
    }
}

impl From<SetupError> for Failure {
    /// The text is complete, so the causes are omitted.
    fn from(error: SetupError) -> Self {
        Self::new(error.to_string())
    }
}

/// Error codes for missing permissions.
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
];
/// Error codes for invalid credentials.
const UNKNOWN: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// The error of an action such as `dynamodb:DescribeTable`. The action is named as in policies.
pub(crate) fn service_error<E>(action: &str, error: SdkError<E, HttpResponse>) -> ServiceError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = error.code().map(str::to_owned);
    let has = |codes: &[&str]| code.as_deref().is_some_and(|code| codes.contains(&code));
    let advice = match &error {
        SdkError::DispatchFailure(failure) if failure.is_other() => {
            "there are no credentials: set `AWS_PROFILE`, or sign in and try again"
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
            "the service cannot be reached: check the region and the network and try again"
        }
        _ if has(DENIED) => "these credentials lack the permission: allow the action and try again",
        _ if has(UNKNOWN) => "these credentials are not valid: renew them and try again",
        _ => "correct the cause and try again",
    };
    // Without a code, the service gave no message.
    let words = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => innermost(&error),
    };
    ServiceError::new(action, code, advice, words).from_source(error)
}
