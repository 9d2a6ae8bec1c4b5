//! `wm`: the workspace backend on one machine, and the client of every surface.

mod commands;
mod connection;
mod explain;
mod issuer;
mod transfer;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;
use wm_terminal::{failure, output};

use crate::{commands::Arguments, failure::Failure};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = Runtime::new()
        .map_err(|error| Failure::because("the async runtime did not start; try again", error))
        .and_then(|runtime| runtime.block_on(arguments.run()));
    output::end(result)
}
