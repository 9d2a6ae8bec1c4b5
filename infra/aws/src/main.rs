//! `wm-aws`: sets the AWS surface up, deploys it, and sends again what failed. `wm` runs it.

use std::process::ExitCode;

use wm_aws_deploy::account::Account;

fn main() -> ExitCode {
    wm_deploy::program::run::<Account>()
}
