//! The command `cargo xtask test`.

use clap::Args;

use crate::{
    checkout::Checkout,
    failure::Failure,
    run::{Output, test},
};

const EXAMPLES: &str = "\
Examples:
  cargo xtask test --workspace --no-fail-fast
  cargo xtask test --workspace --test suite -- aws::case_33
  cargo xtask parity --from target/test-results     evaluate the results

Takes the arguments of `cargo test` and prints its output. The results replace those of the last run
in target/test-results: one file of JSON lines per test program.";

/// Run `cargo test` and record the results
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Test {
    /// The arguments of `cargo test`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Test {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let checkout = Checkout::find(None)?;
        let ended = test(&checkout, &self.arguments, Output::Unchanged)?;
        if ended.success() {
            return Ok(());
        }
        // Cargo has reported the failure.
        Err(Failure::reported(1))
    }
}
