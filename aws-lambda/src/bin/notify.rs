//! Sends mails for events of the bus.

use std::process::ExitCode;

use wm_aws::{
    config::Function,
    functions::{Startup, notify, run},
};

fn main() -> ExitCode {
    run(async {
        let startup = Startup::read(Function::Notify)?;
        let ports = startup.mailing_ports()?;
        notify(startup.service(ports).await?).await
    })
}
