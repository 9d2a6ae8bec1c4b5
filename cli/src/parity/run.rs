//! Running the tests that the contract names.

use std::{
    env,
    io::{BufRead, BufReader, PipeReader, pipe},
    process::{Command, ExitStatus},
};

use super::{
    checkout::Checkout,
    contract::{Contract, package},
};
use crate::{failure::Failure, output::notice};

/// Runs the programs of the contract and answers what they printed, which is shown meanwhile.
pub(crate) fn run(checkout: &Checkout, contract: &Contract) -> Result<String, Failure> {
    let arguments = arguments(checkout, contract)?;
    notice(format!("cargo {}", arguments.join(" ")));
    let (output, writer) = pipe().map_err(|error| not_started("cargo", error))?;
    let program = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    // Both outputs into one pipe: only so do they come in the order in which they were written.
    let errors = writer
        .try_clone()
        .map_err(|error| not_started(&program, error))?;
    let mut child = Command::new(&program)
        .args(&arguments)
        .env("CARGO_TERM_COLOR", "never")
        .current_dir(checkout.root())
        .stdout(writer)
        .stderr(errors)
        .spawn()
        .map_err(|error| not_started(&program, error))?;
    let said = follow(output)?;
    let ended = child.wait().map_err(|error| not_started(&program, error))?;
    tell(ended);
    Ok(said)
}

/// All programs, whatever fails, so that the certificate is whole.
fn arguments(checkout: &Checkout, contract: &Contract) -> Result<Vec<String>, Failure> {
    let mut packages = Vec::new();
    let mut programs = Vec::new();
    for program in contract.programs() {
        let package = package(checkout, program)?;
        if !packages.contains(&package) {
            packages.push(package);
        }
        programs.extend(["--test", program]);
    }
    let packages = packages.into_iter().flat_map(|package| ["-p", package]);
    let arguments = ["test", "--no-fail-fast"].into_iter().chain(packages);
    Ok(arguments.chain(programs).map(str::to_owned).collect())
}

/// Shows what comes as it comes, and keeps it.
fn follow(output: PipeReader) -> Result<String, Failure> {
    let mut output = BufReader::new(output);
    let mut said = String::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = output.read_until(b'\n', &mut line).map_err(|error| {
            Failure::because("what the tests print cannot be read; try again", error)
        })?;
        if read == 0 {
            return Ok(said);
        }
        let text = String::from_utf8_lossy(&line);
        notice(text.trim_end());
        said += &text;
    }
}

/// What failed counts where the contract names it; the rest is said.
fn tell(ended: ExitStatus) {
    if !ended.success() {
        notice(format!("warning: `cargo test` failed ({ended}); see above"));
    }
}

fn not_started(program: &str, error: std::io::Error) -> Failure {
    Failure::because(
        format!("`{program}` cannot be run; install Rust with rustup and try again"),
        error,
    )
}
