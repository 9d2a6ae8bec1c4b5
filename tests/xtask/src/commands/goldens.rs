//! The command `cargo xtask goldens`.

use clap::Args;
use wm_deploy::tools::Run;

use crate::{
    checkout::Checkout,
    failure::Failure,
    output::{line, notice},
    run::{UPDATES, cargo},
};

const EXAMPLES: &str = "\
Examples:
  cargo xtask goldens
  cargo xtask goldens --list        print the commands without running them
  git diff                          review the changes before you commit them

Rewrites the OpenAPI document, the item encodings, the access matrix, the calls and charges of both
clouds, the table of costs in docs/performance.md and the compiler messages of core/tests/witness.
It takes as long as all tests of wm-core and wm-tests.";

/// Rewrite every golden by running the tests with UPDATE_GOLDENS=1
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Goldens {
    /// Print the commands in order without running them
    #[arg(long)]
    list: bool,
}

impl Goldens {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let checkout = Checkout::find(None)?;
        let mut failed = Ok(());
        for step in steps() {
            if self.list {
                line(format!("UPDATE_GOLDENS=1 TRYBUILD=overwrite {step}"))?;
                continue;
            }
            notice(step.to_string());
            // A test that fails for another reason must not stop the other goldens.
            failed = failed.and(step.stream(checkout.root()));
        }
        failed
    }
}

/// The table of costs is built from the charges that the first step writes.
fn steps() -> [Run; 2] {
    let updating = || cargo(UPDATES).with(["test"]);
    [
        updating().with(["--no-fail-fast", "-p", "wm-core", "-p", "wm-tests"]),
        updating().with(["-p", "wm-tests", "--test", "product", "costs::"]),
    ]
}
