//! The command `cargo xtask check`.

use std::path::PathBuf;

use clap::Args;

use crate::{checkout::Checkout, checks, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  cargo xtask check
  cargo xtask check --repository ../other-checkout

Prints one line per check and per violation. Exit code 1 means that a check found a violation.";

/// Check the files of the checkout without running tests
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// The checkout. Default: the one that contains the current directory
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(self) -> Result<(), Failure> {
        checks::check(&Checkout::find(self.repository.as_deref())?)
    }
}
