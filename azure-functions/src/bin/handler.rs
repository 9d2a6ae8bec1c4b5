//! Answers the Functions host: HTTP requests and triggers.

use std::process::ExitCode;

fn main() -> ExitCode {
    wm_azure::functions::run(std::env::args_os().skip(1), |surface| surface)
}
