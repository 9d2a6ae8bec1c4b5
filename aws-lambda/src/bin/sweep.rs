//! Finishes interrupted work.

use std::process::ExitCode;

use wm_aws::{
    config::Function,
    functions::{Startup, run, sweep},
};

fn main() -> ExitCode {
    run(async {
        let startup = Startup::read(Function::Sweep)?;
        let ports = startup.publishing_ports()?;
        sweep(startup.service(ports).await?, startup.work_partitions()).await
    })
}
