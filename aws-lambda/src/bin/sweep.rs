//! Finishes what was interrupted.

use std::process::ExitCode;

use wm_aws::functions::{run, sweep};

fn main() -> ExitCode {
    run(sweep(|surface| surface))
}
