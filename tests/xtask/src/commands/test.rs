//! The command `cargo xtask test`.

use std::num::NonZero;

use clap::Args;

use crate::{
    checkout::Checkout,
    failure::Failure,
    run::{Output, test, test_at_once},
};

const EXAMPLES: &str = "\
Examples:
  cargo xtask test --workspace --no-fail-fast
  cargo xtask test --workspace --test suite -- aws::case_33
  cargo xtask test --at-once 2 --workspace          two test programs at a time
  cargo xtask parity --from target/test-results     evaluate the results

Takes the arguments of `cargo test` and prints its output. The results replace those of the last run
in target/test-results: one file of JSON lines per test program.";

/// Run `cargo test` and record the results
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Test {
    /// Run this many test programs of the workspace at the same time, and print the output of each
    /// when it ends. Do not select programs with `--test` or `-p` as well
    #[arg(long, value_name = "N")]
    at_once: Option<NonZero<usize>>,
    /// The arguments of `cargo test`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Test {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let checkout = Checkout::find(None)?;
        let passed = match self.at_once {
            Some(at_once) => test_at_once(&checkout, &self.arguments, at_once)?,
            None => test(&checkout, &self.arguments, Output::Unchanged)?.success(),
        };
        if passed {
            return Ok(());
        }
        // Cargo has reported the failure.
        Err(Failure::reported(1))
    }
}
