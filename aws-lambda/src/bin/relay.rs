//! Publishes what was committed.

use std::process::ExitCode;

use wm_aws::functions::{relay, run};

fn main() -> ExitCode {
    run(relay(|surface| surface))
}
