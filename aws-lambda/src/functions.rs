//! The Lambda functions: what each does with an event.
//!
//! A program reads a [`Startup`], makes the ports and the service over them, and hands the service to
//! the function.

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

/// Runs a function until Lambda ends the process. What goes wrong before it can answer is logged, and
/// the process ends with 1.
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
            tracing::error!(%error, cause, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

/// Work that is to be delivered again. Whoever invoked the function may read this, so it says nothing.
#[derive(Debug, thiserror::Error)]
#[error("retried later; the log says why")]
pub struct RetryLater;
