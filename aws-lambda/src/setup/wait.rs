//! Waiting for services that are still at work.

use std::{error::Error, time::Duration};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::{Instant, sleep};

use super::error::ServiceError;

/// Codes that say: what was asked before is still being done.
const BUSY: &[&str] = &[
    "ContinuousBackupsUnavailableException",
    "LimitExceededException",
    "NoSuchBucket",
    "OperationAborted",
    "ResourceInUseException",
];
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(180);

/// Pauses that grow from a fifth of a second to five seconds.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Pauses {
    pub(super) fn new() -> Self {
        Self(Duration::from_millis(200))
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

/// Asks again while the service is still busy with what was asked before, for three minutes.
pub(super) async fn patiently<T, E, F>(
    action: &'static str,
    mut ask: impl FnMut() -> F,
) -> Result<T, ServiceError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let deadline = Instant::now() + PATIENCE;
    let mut pauses = Pauses::new();
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) if is_busy(&error) && Instant::now() < deadline => pauses.next().await,
            Err(error) => return Err(ServiceError::of(action, error)),
        }
    }
}

fn is_busy(error: &impl ProvideErrorMetadata) -> bool {
    error.code().is_some_and(|code| BUSY.contains(&code))
}
