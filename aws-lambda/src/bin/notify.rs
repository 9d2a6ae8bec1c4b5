//! Mails what the bus carries.

use std::process::ExitCode;

use wm_aws::functions::{notify, run};

fn main() -> ExitCode {
    run(notify(|surface| surface))
}
