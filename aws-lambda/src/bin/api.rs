//! Answers HTTP requests.

use std::process::ExitCode;

use wm_aws::{
    config::Function,
    functions::{Startup, api, run},
};
use wm_service::ports::Provider;

fn main() -> ExitCode {
    run(async {
        let startup = Startup::read(Function::Api)?;
        let ports = startup.ports()?;
        let meter = ports.records().meter().clone();
        api(startup.service(ports).await?, meter).await
    })
}
