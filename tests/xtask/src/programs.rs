//! Runs the test programs of a workspace, several at a time.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    num::NonZero,
    process::Command,
    sync::Mutex,
    thread,
};

use serde::Deserialize;

use crate::{
    checkout::Checkout,
    failure::Failure,
    run::{cargo, cargo_program, not_started},
};

/// The output of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The arguments with which `cargo test` runs a part of the workspace. The parts together are what it
/// runs without them.
type Selection = Vec<String>;

/// Runs every part of the workspace. The output of each part is printed when it ends. After a
/// failure, no part is started unless `keep_going` is set. Returns whether all parts passed.
///
/// `test` makes the command `cargo test` with these arguments before all others.
pub(crate) fn run(
    checkout: &Checkout,
    at_once: NonZero<usize>,
    keep_going: bool,
    test: impl Fn(&[String]) -> Command + Sync,
) -> Result<bool, Failure> {
    let program = cargo_program();
    // Compile before the first part starts, so that no part waits for the compiler.
    let built = test(&["--no-run".into()]).status();
    let built = built.map_err(|error| not_started(&program, error))?;
    if !built.success() {
        return Ok(false);
    }
    let waiting = Mutex::new(selections(checkout)?);
    let next = || waiting.lock().ok()?.pop_front();
    let work = || -> io::Result<bool> {
        let mut passed = true;
        while let Some(selection) = next() {
            let (ended, output) = captured(test(&selection))?;
            io::stdout().lock().write_all(&output)?;
            passed &= ended;
            if !ended
                && !keep_going
                && let Ok(mut waiting) = waiting.lock()
            {
                waiting.clear();
            }
        }
        Ok(passed)
    };
    let results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once.get()).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    });
    let mut passed = true;
    for result in results {
        let result = result.map_err(|_| Failure::new("a thread of xtask ended; run it again"))?;
        passed &= result.map_err(|error| not_started(&program, error))?;
    }
    Ok(passed)
}

fn selections(checkout: &Checkout) -> Result<VecDeque<Selection>, Failure> {
    let command = cargo(&[]).with(["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.read(checkout.root())?;
    let metadata = output.and_then(|output| serde_json::from_slice::<Metadata>(&output).ok());
    let metadata =
        metadata.ok_or_else(|| Failure::new(format!("`{command}` failed; run it to see why")))?;
    let targets = metadata
        .packages
        .iter()
        .flat_map(|package| &package.targets);
    let tests = targets.filter(|target| target.kind.iter().any(|kind| kind == "test"));
    let mut names: Vec<_> = tests.map(|target| target.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let programs = names
        .iter()
        .map(|name| vec!["--test".into(), (*name).into()]);
    let others = [vec!["--lib".into(), "--bins".into()], vec!["--doc".into()]];
    Ok(programs.chain(others).collect())
}

/// Runs a command. Returns whether it succeeded, and its standard output and error in one stream.
fn captured(mut command: Command) -> io::Result<(bool, Vec<u8>)> {
    let (mut reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command holds the writers, and the pipe ends only after they are closed.
    drop(command);
    let mut output = Vec::new();
    reader.read_to_end(&mut output)?;
    Ok((child.wait()?.success(), output))
}
