//! Runs cargo with recorded results, for the tests that the contract names.

use std::{
    env, fs, io,
    num::NonZero,
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
    programs,
};

/// The directory of the last run's results.
pub(crate) const RESULTS: &str = "target/test-results";

/// The command that records the results of all tests.
pub(crate) const RECORD: &str = "cargo xtask test --workspace --no-fail-fast";

/// The environment in which tests write their goldens.
pub(crate) const UPDATES: &[(&str, &str)] = &[("UPDATE_GOLDENS", "1"), ("TRYBUILD", "overwrite")];

/// The destination of the standard output of `cargo test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// The standard output.
    Unchanged,
    /// The standard error, so that the standard output has only the result of this program.
    Beside,
}

/// A run of cargo with this environment, to print or to execute.
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

/// Runs all programs that the contract names, regardless of failures.
pub(crate) fn contract(checkout: &Checkout, contract: &Contract) -> Result<(), Failure> {
    let arguments = arguments(checkout, contract)?;
    notice(format!("cargo test {}", arguments.join(" ")));
    let ended = test(checkout, &arguments, Output::Beside)?;
    // Failures are evaluated per named test.
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

/// Runs `cargo test` with these arguments. The results replace those of the last run.
pub(crate) fn test(
    checkout: &Checkout,
    arguments: &[String],
    output: Output,
) -> Result<ExitStatus, Failure> {
    empty_results(checkout)?;
    let mut command = cargo_test(checkout, &runner()?, arguments);
    if output == Output::Beside {
        command.stdout(io::stderr());
    }
    let ended = command.status();
    ended.map_err(|error| not_started(&cargo_program(), error))
}

/// As [`test`], for the whole workspace and with several test programs at a time. Returns whether
/// all passed.
pub(crate) fn test_at_once(
    checkout: &Checkout,
    arguments: &[String],
    at_once: NonZero<usize>,
) -> Result<bool, Failure> {
    empty_results(checkout)?;
    let runner = runner()?;
    let keep_going = arguments
        .iter()
        .any(|argument| argument == "--no-fail-fast");
    programs::run(checkout, at_once, keep_going, |selection| {
        cargo_test(checkout, &runner, &[selection, arguments].concat())
    })
}

/// The command `cargo test`, with recorded results.
fn cargo_test(checkout: &Checkout, runner: &str, arguments: &[String]) -> Command {
    let mut command = Command::new(cargo_program());
    command
        .args(["test", "--config", runner])
        .args(arguments)
        .env(DIRECTORY, checkout.root().join(RESULTS))
        .current_dir(checkout.root());
    command
}

fn empty_results(checkout: &Checkout) -> Result<(), Failure> {
    empty(&checkout.root().join(RESULTS)).map_err(|error| {
        let message = format!("`{RESULTS}` cannot be emptied; check its permissions and try again");
        Failure::because(message, error)
    })
}

/// The setting with which cargo starts every test program through `xtask record`. It applies to one
/// command. In a configuration file it would also apply to `cargo run`.
fn runner() -> Result<String, Failure> {
    let own = env::current_exe()
        .map_err(|error| Failure::because("the path of xtask is unknown; build it again", error))?;
    // A JSON string is a TOML string too.
    let own = serde_json::Value::from(own.to_string_lossy());
    Ok(format!(r#"target.'cfg(all())'.runner=[{own},"record"]"#))
}

/// Removes only the results in a directory.
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
