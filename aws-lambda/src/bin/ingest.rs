//! Completes uploads that arrived.

use std::process::ExitCode;

use wm_aws::functions::{ingest, run};

fn main() -> ExitCode {
    run(ingest(|surface| surface))
}
