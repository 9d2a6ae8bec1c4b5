//! `wm-aws`: sets up and deploys the AWS surface, and sends failed events again. `wm` runs it.

use std::process::ExitCode;

use wm_aws_deploy::account::Account;

fn main() -> ExitCode {
    wm_deploy::program::run::<Account>()
}
