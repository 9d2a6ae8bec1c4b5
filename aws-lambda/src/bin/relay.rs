//! Publishes committed journal entries.

use std::process::ExitCode;

use wm_aws::{
    config::Function,
    functions::{Startup, relay, run},
};

fn main() -> ExitCode {
    run(async {
        let startup = Startup::read(Function::Relay)?;
        let ports = startup.publishing_ports()?;
        relay(startup.service(ports).await?).await
    })
}
