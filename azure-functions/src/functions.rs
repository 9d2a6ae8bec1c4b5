//! The custom handler for requests and triggers.
//!
//! A program creates a [`Handler`] from its arguments, reads a [`Startup`], creates the ports and
//! the application over them, and runs the handler with it.

mod api;
mod command;
mod envelope;
mod ingest;
mod notify;
mod relay;
mod server;
mod start;
mod stored;
mod sweep;
mod trigger;

use std::{
    error::Error,
    ffi::OsString,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use wm_http::{Server, Timeouts};
use wm_service::{ports::Provider, variables::Variables};

pub use self::start::{Application, Startup};
use crate::config::Role;

/// The Functions host closes idle connections after a minute, so connections are always ended by
/// the host. A container is killed 30 seconds after the stop signal.
const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(120),
    drain: Duration::from_secs(25),
};

/// The time for cancelled tasks to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// Work that must be delivered again. The invoker may read this text, so it contains no details.
#[derive(Debug, thiserror::Error)]
#[error("retried later; the log says why")]
pub struct RetryLater;

/// The reason why the application cannot start. A retry would not help: services that do not answer
/// are retried without limit before this error.
pub type StartError = Box<dyn Error + Send + Sync>;

/// An error that ends the handler.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// The listen address cannot be bound.
    #[error("cannot listen on `{address}`")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    /// The arguments or variables are invalid.
    #[error(transparent)]
    Command(#[from] command::CommandError),
    /// The application cannot start.
    #[error("the handler cannot start")]
    Start(#[source] StartError),
    /// The operating system refused signals, threads or random bytes.
    #[error("the system refused signals, threads or random bytes")]
    System(#[from] io::Error),
}

/// A handler with its role and listen address.
#[derive(Debug)]
pub struct Handler {
    role: Role,
    address: SocketAddr,
}

impl Handler {
    /// The handler for these arguments and the environment of this process. It starts logging. The
    /// Functions host takes exit code 0 for an intended end and does not restart the handler, so
    /// every error gives exit code 1 and one log line that says what to do.
    ///
    /// # Errors
    /// The exit code, if there is nothing to run: the arguments ask for a text, which was printed,
    /// or they are invalid, which was logged.
    pub fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Result<Self, ExitCode> {
        match command::read(arguments, &Variables::of_this_process()) {
            Ok(command::Command::Say(text)) => {
                // The reader may have closed the output.
                let _ = writeln!(io::stdout().lock(), "{text}");
                Err(ExitCode::SUCCESS)
            }
            Ok(command::Command::Run(role, address)) => {
                crate::telemetry::start();
                Ok(Self { role, address })
            }
            Err(error) => {
                crate::telemetry::start();
                Err(failed(&error.into()))
            }
        }
    }

    /// The functions that the handler answers.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Runs the handler until it is stopped. It listens at once and answers with the application as
    /// soon as that is ready. If the application cannot start, the handler stops with exit code 1.
    #[must_use]
    pub fn run<P: Provider>(
        self,
        application: impl Future<Output = Result<Application<P>, StartError>> + Send + 'static,
    ) -> ExitCode {
        let ended = Runtime::new().map_err(Fault::from).and_then(|runtime| {
            let ended = runtime.block_on(self.serve(application));
            runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
            ended
        });
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => failed(&fault),
        }
    }

    /// Listens before anything else: the host probes the port every 25 ms.
    async fn serve<P: Provider>(
        self,
        application: impl Future<Output = Result<Application<P>, StartError>> + Send + 'static,
    ) -> Result<(), Fault> {
        let address = self.address;
        let server = Server::bind(address)
            .await
            .map_err(|source| Fault::Listen { address, source })?;
        let (ready, starting) = watch::channel(None);
        let routes = server::routes(self.role, starting)?;
        let stop = stop_signal()?;
        // In a separate task: creating clients takes time, and the probe must not wait for it.
        let started = tokio::spawn(async move {
            ready.send_replace(Some(Arc::new(application.await?)));
            Ok::<_, StartError>(())
        });
        let fault = async {
            match started.await {
                Ok(Ok(())) => std::future::pending().await,
                Ok(Err(error)) => Fault::Start(error),
                Err(error) => Fault::Start(error.into()),
            }
        };
        tokio::select! {
            () = server.serve(&routes, TIMEOUTS, stop) => Ok(()),
            fault = fault => Err(fault),
        }
    }
}

/// Resolves when this process receives a stop signal.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

fn failed(fault: &Fault) -> ExitCode {
    let cause = fault.source().map(causes);
    tracing::error!(error = %fault, cause, "the handler stops");
    ExitCode::FAILURE
}

/// An error with its causes, on one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}
