mod check;
mod goldens;
mod long;
mod parity;
mod record;
mod test;
mod up;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  cargo xtask check                       check pages, templates, paths and secrets in seconds
  cargo xtask test -p wm-tests            `cargo test`, with results in target/test-results
  cargo xtask parity                      run the tests of the contract and write docs/parity.md
  cargo xtask goldens                     rewrite every golden after an intended change
  cargo xtask up local                    serve a surface on this machine for your own client

Exit codes: 0 done, 1 failed, 2 usage error.";

/// Tasks of this repository: checks, tests, parity certificate, goldens, local surfaces
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
#[command(max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Test(test::Test),
    Parity(parity::Parity),
    Goldens(goldens::Goldens),
    Long(long::Long),
    Up(up::Up),
    Record(record::Record),
}

impl Arguments {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Check(command) => command.run(),
            Command::Test(command) => command.run(),
            Command::Parity(command) => command.run(),
            Command::Goldens(command) => command.run(),
            Command::Long(command) => command.run(),
            Command::Up(command) => command.run(),
            Command::Record(command) => command.run(),
        }
    }
}
