//! One application, three surfaces, no difference: see [`wm_tests::replay`].
//!
//! `cargo test --workspace --test parity` runs the checks of every change. `cargo xtask long
//! parity` replays ten thousand random scripts.

mod crash;
mod defects;
mod long;
mod scripts;
mod start;
mod tours;

use std::future::Future;

use libtest_mimic::{Arguments, Failed, Trial};
use wm_test_results::Recording;
use wm_tests::replay::target::Targets;

fn main() {
    let (long, mut rest) = long::Long::take(std::env::args());
    // `cargo test parity` names this program and means all its tests.
    rest.retain(|argument| argument != "parity");
    if let Some(long) = long {
        std::process::exit(long.run());
    }
    // The longest first.
    let trials = [crash::trials(), scripts::trials(), defects::trials()];
    let arguments = Arguments::from_iter(rest);
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit();
}

/// A test with its own surfaces, and this number of instances on AWS. Its error describes the
/// difference.
fn trial<F>(name: &str, instances: usize, test: impl FnOnce(Targets) -> F + Send + 'static) -> Trial
where
    F: Future<Output = Result<(), String>>,
{
    recorded(name, move || {
        runtime().block_on(async { test(Targets::start(instances).await).await })
    })
}

fn recorded(name: &str, test: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    let recorded = name.to_owned();
    Trial::test(name, move || {
        let mut recording = Recording::of(&recorded);
        test().map_err(|difference| {
            recording.fail();
            Failed::from(difference)
        })
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
