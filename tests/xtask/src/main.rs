//! Tasks of the repository: what shows that the product keeps its promises, and is no part of it.

mod certificate;
mod checkout;
mod checks;
mod commands;
mod contract;
mod page;
mod results;
mod run;

use std::process::ExitCode;

use clap::Parser;
use wm_terminal::{failure, output};

use crate::commands::Arguments;

fn main() -> ExitCode {
    output::end(Arguments::parse().run())
}
