//! `wm-azure`: sets up and deploys the Azure surface, and sends failed events again. `wm` runs it.

use std::process::ExitCode;

use wm_azure_deploy::account::Account;

fn main() -> ExitCode {
    wm_deploy::program::run::<Account>()
}
