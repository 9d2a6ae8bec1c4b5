//! The custom handler: what it does with requests and triggers.
//!
//! A program makes a [`Handler`] of its arguments, reads a [`Startup`], makes the ports and the
//! application over them, and runs the handler with it.

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

/// The Functions host keeps idle connections for a minute, so it is always the host that ends one. What
/// stops a container waits half a minute before it kills.
const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(120),
    drain: Duration::from_secs(25),
};

/// How long tasks that were cut off may take to notice.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// Work that is to be delivered again. Whoever invoked the function may read this, so it says nothing.
#[derive(Debug, thiserror::Error)]
#[error("retried later; the log says why")]
pub struct RetryLater;

/// Why the application cannot start. Trying again would not help: a service that does not answer is
/// asked again for as long as it takes.
pub type StartError = Box<dyn Error + Send + Sync>;

/// Why the handler ends by itself.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// Nobody can reach it.
    #[error("cannot listen on `{address}`")]
    Listen {
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// It was started without being told where to listen.
    #[error(transparent)]
    Command(#[from] command::CommandError),
    /// It cannot become what it is to be.
    #[error("the handler cannot start")]
    Start(#[source] StartError),
    /// The system gives no signals, threads or randomness.
    #[error("the system lacks what the handler needs")]
    System(#[from] io::Error),
}

/// A handler that was told its role and where to listen.
#[derive(Debug)]
pub struct Handler {
    role: Role,
    address: SocketAddr,
}

impl Handler {
    /// The handler that these arguments and the environment of this process ask for, which logs from
    /// here on. The Functions host takes exit code 0 for an intended end and starts nothing again, so
    /// every fault gives exit code 1 and one line of the log that says what to do.
    ///
    /// # Errors
    /// The exit code, when there is nothing to run: the arguments ask for a text, which was printed,
    /// or they are wrong, which was logged.
    pub fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Result<Self, ExitCode> {
        match command::read(arguments, &Variables::of_this_process()) {
            Ok(command::Command::Say(text)) => {
                // Whoever asked may have stopped reading.
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

    /// Which functions it answers.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Runs the handler until it is told to stop. It listens at once, and answers with the application
    /// as soon as that is ready. If the application cannot start, the handler ends with exit code 1.
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

    /// Listens before anything else: the host asks every 25 ms whether somebody does.
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
        // On a task of its own: making clients takes a while, and the probe must not wait for it.
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

/// Resolves when this process is told to stop.
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
    tracing::error!(error = %fault, cause, "the handler ends");
    ExitCode::FAILURE
}

/// An error with what led to it, on one line.
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
