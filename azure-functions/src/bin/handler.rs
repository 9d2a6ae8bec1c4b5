//! Answers the Functions host: HTTP requests and triggers.

use std::process::ExitCode;

use wm_azure::functions::{Handler, Startup};

fn main() -> ExitCode {
    let handler = match Handler::from_arguments(std::env::args_os().skip(1)) {
        Ok(handler) => handler,
        Err(code) => return code,
    };
    let role = handler.role();
    handler.run(async move {
        let startup = Startup::read(role)?;
        startup.application(startup.connect()?).await
    })
}
