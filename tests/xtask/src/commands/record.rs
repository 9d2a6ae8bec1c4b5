//! The command `cargo xtask record`: the runner with which Cargo starts every test program.

use std::{
    env, io,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use clap::Args;
use wm_test_results::{DIRECTORY, Event, append};

use crate::{failure::Failure, output::notice};

const EXAMPLES: &str = "\
Examples:
  cargo xtask record target/debug/deps/suite-0123456789abcdef --nocapture

`cargo xtask test` starts every test program through this command.";

/// Run a test program and record its exit code
#[derive(Debug, Args)]
#[command(hide = true, after_help = EXAMPLES)]
pub(crate) struct Record {
    /// The test program
    program: PathBuf,
    /// The arguments of the test program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Record {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let program = &self.program;
        let ended = Command::new(program).args(&self.arguments).status();
        let ended = ended.map_err(|error| {
            let message = format!("`{}` cannot be run; build it again", program.display());
            Failure::because(message, error)
        })?;
        record(program, ended).map_err(|error| {
            let message = format!("the result of `{}` cannot be written", program.display());
            Failure::because(message, error)
        })?;
        match ended.code() {
            Some(0) => Ok(()),
            Some(code) => Err(Failure::reported(u8::try_from(code).unwrap_or(1))),
            None => {
                notice(format!("error: `{}` ended: {ended}", program.display()));
                let signal = ended.signal().and_then(|signal| u8::try_from(signal).ok());
                // The convention of shells.
                Err(Failure::reported(signal.unwrap_or(0).saturating_add(128)))
            }
        }
    }
}

fn record(program: &Path, ended: ExitStatus) -> io::Result<()> {
    let Some(directory) = env::var_os(DIRECTORY) else {
        return Ok(());
    };
    let code = ended.code();
    append(Path::new(&directory), program, Event::Ended { code })
}
