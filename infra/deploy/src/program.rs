//! The programs `wm-aws` and `wm-azure`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;
use wm_terminal::{failure::Failure, interrupt::interruptible, output};

use crate::{
    cloud::Cloud,
    commands::{Deploy, DeploySite, Redrive, Setup},
};

/// The arguments of a cloud's program.
#[derive(Debug, Parser)]
#[command(name = C::TEXTS.program, version, about = C::TEXTS.help.about)]
#[command(after_help = C::TEXTS.help.after, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
struct Arguments<C: Cloud> {
    #[command(subcommand)]
    command: Command<C>,
}

#[derive(Debug, Subcommand)]
enum Command<C: Cloud> {
    Setup(Setup<C>),
    Deploy(Deploy<C>),
    DeploySite(DeploySite<C>),
    Redrive(Redrive<C>),
}

/// Runs the program of a cloud with the arguments of this process.
#[must_use]
pub fn run<C: Cloud>() -> ExitCode {
    let Arguments { command } = Arguments::<C>::parse();
    let result = Runtime::new()
        .map_err(|error| Failure::because("the async runtime did not start; try again", error))
        .and_then(|runtime| runtime.block_on(command.run()));
    output::end(result)
}

impl<C: Cloud> Command<C> {
    async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Setup(command) => interruptible(command.run()).await,
            Self::Redrive(command) => interruptible(command.run()).await,
            // These run other programs, which Ctrl-C ends too.
            Self::Deploy(command) => command.run().await,
            Self::DeploySite(command) => command.run().await,
        }
    }
}
