//! Waiting for services that are still working.

use std::error::Error;

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::Instant;
use wm_deploy::{
    service_error::ServiceError,
    wait::{Pauses, TIMEOUT},
};

use super::error::service_error;

/// Error codes for an earlier request that is still in progress.
const BUSY: &[&str] = &[
    "ContinuousBackupsUnavailableException",
    "LimitExceededException",
    "NoSuchBucket",
    "OperationAborted",
    "ResourceInUseException",
];
/// Retries while the service is busy with an earlier request, for three minutes.
pub(super) async fn retry_while_busy<T, E, F>(
    action: &'static str,
    mut send: impl FnMut() -> F,
) -> Result<T, ServiceError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let deadline = Instant::now() + TIMEOUT;
    let mut pauses = Pauses::default();
    loop {
        match send().await {
            Ok(answer) => return Ok(answer),
            Err(error) if is_busy(&error) && Instant::now() < deadline => pauses.next().await,
            Err(error) => return Err(service_error(action, error)),
        }
    }
}

fn is_busy(error: &impl ProvideErrorMetadata) -> bool {
    error.code().is_some_and(|code| BUSY.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use aws_sdk_dynamodb::{error::ErrorMetadata, operation::update_table::UpdateTableError};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Answers with these errors, one per call, and then succeeds.
    async fn attempts(codes: &[&str]) -> (Result<(), ServiceError>, usize) {
        let count = Cell::new(0);
        let send = async || {
            let Some(code) = codes.get(count.replace(count.get() + 1)) else {
                return Ok(());
            };
            let error = ErrorMetadata::builder().code(*code).build();
            let answer = HttpResponse::new(400.try_into().unwrap(), SdkBody::empty());
            let error = UpdateTableError::generic(error);
            Err(SdkError::service_error(error, answer))
        };
        let result = retry_while_busy("dynamodb:UpdateTable", send).await;
        (result, count.get())
    }

    #[tokio::test]
    async fn busy_service_is_retried_and_other_errors_are_returned() {
        let (result, count) = attempts(&["ResourceInUseException"]).await;
        assert!(result.is_ok());
        assert_eq!(count, 2);
        let (result, count) = attempts(&["OperationAborted", "AccessDenied"]).await;
        assert_eq!(result.unwrap_err().code(), Some("AccessDenied"));
        assert_eq!(count, 2);
    }
}
