//! `cargo xtask check`

use std::path::PathBuf;

use clap::Args;

use crate::{checkout::Checkout, checks, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  cargo xtask check
  cargo xtask check --repository ../other-checkout

Prints one line for each check and each violation. Exit code 1 means that a check found something.";

/// Check the files of the checkout without running anything
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// The checkout, if not the one around the current directory
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(self) -> Result<(), Failure> {
        checks::check(&Checkout::find(self.repository.as_deref())?)
    }
}
