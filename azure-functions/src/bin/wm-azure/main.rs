//! `wm-azure`: sets the Azure surface up, deploys it, and sends again what failed. `wm` runs it.

mod account;
mod blobs;
mod build;
mod commands;
mod deployment;
mod package;
mod record;
mod redrive;
mod site;
mod stack;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;
use wm_terminal::{failure, flags, origin, output, tools};

use crate::{commands::Arguments, failure::Failure};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = Runtime::new()
        .map_err(|error| Failure::because("the runtime did not start; try again", error))
        .and_then(|runtime| runtime.block_on(arguments.run()));
    output::end(result)
}
