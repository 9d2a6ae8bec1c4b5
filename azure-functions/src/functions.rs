//! The custom handler: what it does with requests and triggers.

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
    error::Error, ffi::OsString, io::Write, net::SocketAddr, process::ExitCode, time::Duration,
};

use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use wm_http::{Patience, Server};
use wm_service::{ports::Provider, variables::Variables};

use crate::{config::Role, surface::Azure};

/// The Functions host keeps idle connections for a minute, so it is always the host that ends one. What
/// stops a container waits half a minute before it kills.
const PATIENCE: Patience = Patience {
    head: Duration::from_secs(120),
    drain: Duration::from_secs(25),
};

/// How long tasks that were cut off may take to notice.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Work that is to be delivered again. Whoever invoked the function may read this, so it says nothing.
#[derive(Debug, thiserror::Error)]
#[error("left for later; the log says why")]
pub struct LeftForLater;

/// Why the handler ends by itself.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// Nobody can reach it.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// It was started without being told where to listen.
    #[error(transparent)]
    Command(#[from] command::CommandError),
    /// It cannot become what it is to be.
    #[error("the handler cannot start")]
    Start(#[source] Box<dyn Error + Send + Sync>),
    /// The system gives no signals, threads or randomness.
    #[error("the system lacks what the handler needs")]
    System(#[from] std::io::Error),
}

/// Runs the handler, over what the program makes of the surface, until it is told to stop. What is deployed
/// takes the surface as it is; a program that proves something puts its own clock, or its own faults, around
/// the ports.
///
/// The host takes 0 for an end that was meant, after which
/// nothing is started again; so every fault ends with 1, and says in one line of the log what to do.
#[must_use]
pub fn run<P: Provider>(
    arguments: impl Iterator<Item = OsString>,
    surface: impl FnOnce(Azure) -> P + Send + 'static,
) -> ExitCode {
    let variables = Variables::of_this_process();
    let (role, address) = match command::read(arguments, &variables) {
        Ok(command::Command::Say(text)) => {
            // Whoever asked may have stopped reading.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
            return ExitCode::SUCCESS;
        }
        Ok(command::Command::Run(role, address)) => (role, address),
        Err(error) => {
            crate::telemetry::start();
            return failed(&error.into());
        }
    };
    crate::telemetry::start();
    match run_as(role, address, variables, surface) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(&fault),
    }
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

fn run_as<P: Provider>(
    role: Role,
    address: SocketAddr,
    variables: Variables,
    surface: impl FnOnce(Azure) -> P + Send + 'static,
) -> Result<(), Fault> {
    let runtime = Runtime::new()?;
    let ended = runtime.block_on(serve(role, address, variables, surface));
    runtime.shutdown_timeout(LAST_WORDS);
    ended
}

/// Listens before anything else: the host asks every 25 ms whether somebody does.
async fn serve<P: Provider>(
    role: Role,
    address: SocketAddr,
    variables: Variables,
    surface: impl FnOnce(Azure) -> P + Send + 'static,
) -> Result<(), Fault> {
    let server = Server::bind(address)
        .await
        .map_err(|source| Fault::Listen { address, source })?;
    let (tell, started) = watch::channel(None);
    let routes = server::routes(role, started)?;
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    };
    // On a task of its own: making clients takes a while, and the probe is not to wait for it.
    let starting = tokio::spawn(start::start(role, variables, surface, tell));
    let fault = async {
        match starting.await {
            Ok(Ok(())) => std::future::pending().await,
            Ok(Err(error)) => Fault::Start(error),
            Err(error) => Fault::Start(error.into()),
        }
    };
    tokio::select! {
        () = server.serve(&routes, PATIENCE, stop) => Ok(()),
        fault = fault => Err(fault),
    }
}
