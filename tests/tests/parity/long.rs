//! A configurable number of scripts.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use wm_tests::replay::target::Targets;

use super::{
    runtime,
    scripts::{INSTANCES, one},
};

/// The number of scripts per set of surfaces, because the cloud emulators never free memory by
/// themselves.
const CHUNK: u64 = 250;
/// The interval of progress lines.
const NEWS: Duration = Duration::from_secs(10);

/// A long replay.
pub(crate) struct Long {
    scripts: u64,
    seed: u64,
}

impl Long {
    /// Takes `--scripts N` and `--seed N` from the arguments. Returns the others.
    pub(crate) fn take(arguments: impl Iterator<Item = String>) -> (Option<Self>, Vec<String>) {
        let (mut scripts, mut seed, mut rest) = (None, 1, Vec::new());
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument.clone(), None),
            };
            let number = |value: Option<String>| {
                let value = value.and_then(|value| value.parse().ok());
                value.unwrap_or_else(|| panic!("`{name}` takes a number, such as `{name} 100`"))
            };
            match name.as_str() {
                "--scripts" => scripts = Some(number(value.or_else(|| arguments.next()))),
                "--seed" => seed = number(value.or_else(|| arguments.next())),
                _ => rest.push(argument),
            }
        }
        (scripts.map(|scripts| Self { scripts, seed }), rest)
    }

    /// Replays the scripts, in separate processes if there are many. The exit code is 0 if no
    /// difference was found.
    pub(crate) fn run(&self) -> i32 {
        let Self { scripts, seed } = *self;
        if scripts <= CHUNK {
            return runtime().block_on(self.chunk());
        }
        let begun = Instant::now();
        for from in (seed..seed + scripts).step_by(usize::try_from(CHUNK).unwrap()) {
            let count = CHUNK.min(seed + scripts - from);
            let ended = Command::new(std::env::current_exe().unwrap())
                .args(["--scripts", &count.to_string(), "--seed", &from.to_string()])
                .status()
                .unwrap();
            if !ended.success() {
                return 1;
            }
        }
        let seconds = begun.elapsed().as_secs();
        println!("{scripts} scripts from seed {seed} without a difference, in {seconds} s");
        0
    }

    async fn chunk(&self) -> i32 {
        let Self { scripts, seed } = *self;
        let mut targets = Targets::start(INSTANCES).await;
        let (begun, mut reported) = (Instant::now(), Instant::now());
        for number in 0..scripts {
            if let Err(difference) = one(&mut targets, seed + number).await {
                println!("{difference}");
                return 1;
            }
            if reported.elapsed() > NEWS {
                println!("{} of {scripts} scripts from seed {seed}", number + 1);
                reported = Instant::now();
            }
        }
        let seconds = begun.elapsed().as_secs();
        println!("{scripts} scripts from seed {seed} without a difference, in {seconds} s");
        0
    }
}
