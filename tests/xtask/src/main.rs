//! Tasks of the repository. They check the product and are not part of it.

mod certificate;
mod checkout;
mod checks;
mod commands;
mod contract;
mod page;
mod programs;
mod results;
mod run;

use std::process::ExitCode;

use clap::Parser;
use wm_terminal::{failure, output};

use crate::commands::Arguments;

fn main() -> ExitCode {
    output::end(Arguments::parse().run())
}
