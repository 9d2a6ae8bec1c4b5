//! Answers HTTP requests.

use std::process::ExitCode;

use wm_aws::functions::{api, run};

fn main() -> ExitCode {
    run(api(|surface| surface))
}
