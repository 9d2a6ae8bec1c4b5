//! Completes uploads whose bytes arrived.

use std::process::ExitCode;

use wm_aws::{
    config::Function,
    functions::{Startup, ingest, run},
};

fn main() -> ExitCode {
    run(async {
        let startup = Startup::read(Function::Ingest)?;
        let ports = startup.ports()?;
        ingest(startup.service(ports).await?).await
    })
}
