//! Running cargo: the tests that the contract names, with their results recorded.

use std::{
    env, fs, io,
    path::Path,
    process::{Command, ExitStatus},
};

use wm_deploy::tools::{Run, Tool};
use wm_test_results::{DIRECTORY, EXTENSION};

use crate::{
    checkout::Checkout,
    contract::{Contract, package},
    failure::Failure,
    output::notice,
};

/// Where the results of the last run are.
pub(crate) const RESULTS: &str = "target/test-results";

/// The command that records the results of all tests.
pub(crate) const RECORD: &str = "cargo xtask test --workspace --no-fail-fast";

/// The environment in which tests write their goldens instead of comparing them.
pub(crate) const UPDATES: &[(&str, &str)] = &[("UPDATE_GOLDENS", "1"), ("TRYBUILD", "overwrite")];

/// Where `cargo test` prints its standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Where it would without us.
    Unchanged,
    /// On the standard error, beside a result of ours.
    Beside,
}

/// A run of cargo with this environment, to be shown or done.
pub(crate) fn cargo(environment: &'static [(&'static str, &'static str)]) -> Run {
    let tool = Tool {
        program: "cargo",
        how_to_get: "https://rustup.rs",
        environment,
    };
    tool.run()
}

/// The cargo that started this program.
pub(crate) fn cargo_program() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// Runs the programs that the contract names, all of them, whatever fails.
pub(crate) fn contract(checkout: &Checkout, contract: &Contract) -> Result<(), Failure> {
    let arguments = arguments(checkout, contract)?;
    notice(format!("cargo test {}", arguments.join(" ")));
    let ended = test(checkout, &arguments, Output::Beside)?;
    // What failed counts where the contract names it.
    if !ended.success() {
        notice(format!("warning: `cargo test` failed ({ended}); see above"));
    }
    Ok(())
}

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
    let arguments = ["--no-fail-fast"].into_iter().chain(packages);
    Ok(arguments.chain(programs).map(str::to_owned).collect())
}

/// Runs `cargo test` with these arguments; the results replace those of the last run.
pub(crate) fn test(
    checkout: &Checkout,
    arguments: &[String],
    output: Output,
) -> Result<ExitStatus, Failure> {
    let directory = checkout.root().join(RESULTS);
    empty(&directory).map_err(|error| {
        let message = format!("`{RESULTS}` cannot be emptied; free it and try again");
        Failure::because(message, error)
    })?;
    let program = cargo_program();
    let mut command = Command::new(&program);
    command
        .args(["test", "--config", &runner()?])
        .args(arguments)
        .env(DIRECTORY, &directory)
        .current_dir(checkout.root());
    if output == Output::Beside {
        command.stdout(io::stderr());
    }
    let ended = command.status();
    ended.map_err(|error| not_started(&program, error))
}

/// The setting by which cargo starts every test program through `xtask record`. It holds for one command; in
/// a configuration file it would also hold for `cargo run`.
fn runner() -> Result<String, Failure> {
    let own = env::current_exe().map_err(|error| {
        Failure::because("the path of xtask is not known; build it again", error)
    })?;
    // A JSON string is a TOML string too.
    let own = serde_json::Value::from(own.to_string_lossy());
    Ok(format!(r#"target.'cfg(all())'.runner=[{own},"record"]"#))
}

/// Removes the results in a directory, and nothing else.
fn empty(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == EXTENSION) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

pub(crate) fn not_started(program: &str, error: io::Error) -> Failure {
    Failure::because(
        format!("`{program}` cannot be run; install Rust with rustup and try again"),
        error,
    )
}
