//! The command `cargo xtask long`.

use clap::{Args, builder::PossibleValuesParser};
use wm_deploy::tools::Run;

use crate::{
    checkout::Checkout,
    failure::Failure,
    output::{notice, table},
    run::cargo,
};

const EXAMPLES: &str = "\
Examples:
  cargo xtask long --list
  cargo xtask long parity --seed 7                  ten thousand random histories from seed 7
  cargo xtask long parity --scripts 500 --seed 7
  cargo xtask long crash cedar docs
  cargo xtask long decide commit read               benchmarks by name

Default: all of them, which takes hours. docs/performance.md explains the benchmarks.";

/// The random histories.
const PARITY: &str = "parity";
/// A crash at every call.
const CRASH: &str = "crash";
/// The comparison with Cedar.
const CEDAR: &str = "cedar";
/// The documentation of all crates.
const DOCS: &str = "docs";

/// The benchmarks: name, package and subject.
const BENCHES: [(&str, &str, &str); 7] = [
    ("decide", "wm-core", "the decision of an operation"),
    ("commit", "wm-local", "durable batches in SQLite"),
    ("read", "wm-local", "reads and lists in SQLite"),
    ("round_trip", "wm-local", "requests to a node"),
    (
        "permission",
        "wm-tests",
        "the permission engine compared with Cedar",
    ),
    (
        "function_start",
        "wm-tests",
        "the start of a function on AWS",
    ),
    (
        "handler_start",
        "wm-tests",
        "the start of the handler on Azure",
    ),
];

/// Run long tests and benchmarks
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Long {
    /// The runs to start. Default: all
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(names()))]
    names: Vec<String>,
    /// The number of random histories that `parity` replays
    #[arg(long, default_value_t = 10_000)]
    scripts: u64,
    /// The seed of the first history
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// List the runs with their commands without starting them
    #[arg(long)]
    list: bool,
}

fn bench(name: &str, package: &str) -> Run {
    // This benchmark compares the engine with Cedar.
    let features = (name == "permission").then_some(["--features", CEDAR]);
    let bench = cargo(&[]).with(["bench", "-p", package]);
    let bench = bench.with(features.into_iter().flatten());
    bench.with(["--bench", name])
}

fn names() -> impl Iterator<Item = &'static str> {
    let benches = BENCHES.iter().map(|(name, ..)| *name);
    [PARITY, CRASH, CEDAR, DOCS].into_iter().chain(benches)
}

/// A long run.
struct Task {
    name: &'static str,
    about: &'static str,
    command: Run,
}

impl Long {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let checkout = Checkout::find(None)?;
        let tasks = self.tasks();
        if self.list {
            let rows = tasks.iter().map(|task| {
                let Task {
                    name,
                    about,
                    command,
                } = task;
                [(*name).to_owned(), (*about).to_owned(), command.to_string()]
            });
            return table("long tests and benchmarks", &rows.collect::<Vec<_>>());
        }
        for task in tasks {
            notice(task.command.to_string());
            task.command.stream(checkout.root())?;
        }
        Ok(())
    }

    /// The selected tasks in the order of the list.
    fn tasks(&self) -> Vec<Task> {
        let parity = Task {
            name: PARITY,
            about: "random histories replayed on all surfaces",
            command: self.parity(),
        };
        let crash = Task {
            name: CRASH,
            about: "processes that die at every call of every operation, on all surfaces",
            command: cargo(&[("WM_EVERY_CALL", "1")]).with([
                "test",
                "--workspace",
                "--test",
                PARITY,
                "--",
                "crash::",
            ]),
        };
        let cedar = Task {
            name: CEDAR,
            about: "the permission engine compared with Cedar on a thousand random states",
            command: cargo(&[]).with([
                "test",
                "-p",
                "wm-tests",
                "--features",
                "cedar",
                "--test",
                "product",
                "cedar::",
            ]),
        };
        let docs = Task {
            name: DOCS,
            about: "the documentation of all crates, without warnings",
            command: cargo(&[("RUSTDOCFLAGS", "-Dwarnings")]).with([
                "doc",
                "--locked",
                "--no-deps",
                "--workspace",
            ]),
        };
        let benches = BENCHES.iter().map(|(name, package, about)| Task {
            name,
            about,
            command: bench(name, package),
        });
        let is_named =
            |task: &Task| self.names.is_empty() || self.names.iter().any(|name| name == task.name);
        [parity, crash, cedar, docs]
            .into_iter()
            .chain(benches)
            .filter(is_named)
            .collect()
    }

    fn parity(&self) -> Run {
        let test = cargo(&[]).with(["test", "--workspace", "--test", PARITY, "--"]);
        let (scripts, seed) = (self.scripts.to_string(), self.seed.to_string());
        test.with(["--scripts", &scripts, "--seed", &seed])
    }
}
