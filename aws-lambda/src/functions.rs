//! The Lambda functions.
//!
//! A program reads a [`Startup`], creates the ports and the service over them, and passes the
//! service to the function.

mod api;
mod events;
mod ingest;
mod notify;
mod relay;
mod start;
mod sweep;

use std::process::ExitCode;

pub use api::api;
pub use ingest::ingest;
pub use notify::notify;
pub use relay::relay;
pub use start::Startup;
pub use sweep::sweep;

/// Runs a function until Lambda ends the process. An error before the first event is logged, and
/// the process ends with exit code 1.
pub fn run(function: impl Future<Output = Result<(), lambda_runtime::Error>>) -> ExitCode {
    crate::telemetry::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(function),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(ToString::to_string);
            tracing::error!(%error, cause, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

/// Work that must be delivered again. The invoker may read this text, so it contains no details.
#[derive(Debug, thiserror::Error)]
#[error("retried later; the log says why")]
pub struct RetryLater;
