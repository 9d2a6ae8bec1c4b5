//! `wm-azure`: sets the Azure surface up, deploys it, and sends again what failed. `wm` runs it.

use std::process::ExitCode;

use wm_azure_deploy::account::Account;

fn main() -> ExitCode {
    wm_deploy::program::run::<Account>()
}
