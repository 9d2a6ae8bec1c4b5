//! The command `cargo xtask parity`.

use std::path::PathBuf;

use clap::Args;
use wm_core::catalog::Provider;

use crate::{
    certificate::{Certificate, SHARED},
    checkout::Checkout,
    contract::Contract,
    failure::Failure,
    output::{line, notice, table},
    results::Results,
    run::{self, RECORD, RESULTS},
};

/// The certificate as a page and as JSON.
const PAGE: &str = "docs/parity.md";
const DATA: &str = "docs/parity.json";

const EXAMPLES: &str = "\
Examples:
  cargo xtask parity               run the tests of the contract and write the certificate
  cargo xtask parity --verify      run them and compare with the certificate in docs/
  cargo xtask test --workspace --no-fail-fast
  cargo xtask parity --from target/test-results      read a recorded run
  cargo xtask parity --from target/test-results --verify

tests/contract.json lists the promises of the application and the tests that prove each. If an
emulator cannot show the subject of a test, the test counts as `not shown`, not as passed, and the
certificate lists it. Tests of code that all surfaces share have a separate column. They show
nothing about a single surface. A certificate that does not hold is written only with --even-so.
Exit code 1 means that a sentence is not shown on some surface, or that the committed certificate
differs from the run.";

/// Test the contract on every surface and write the parity certificate
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Parity {
    /// Read the results that `cargo xtask test` recorded in this directory. Default: run the tests
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Compare with the committed certificate instead of writing it
    #[arg(long)]
    verify: bool,
    /// Write the certificate even if a sentence does not hold
    #[arg(long, conflicts_with = "verify")]
    even_so: bool,
    /// The checkout. Default: the one that contains the current directory
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
}

impl Parity {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let checkout = Checkout::find(self.repository.as_deref())?;
        let contract = Contract::read(&checkout)?;
        let results = self.results(&checkout, &contract)?;
        if results.is_empty() {
            return Err(self.nothing());
        }
        let certificate = Certificate::new(&contract, &results);
        show(&certificate)?;
        let files = [(PAGE, certificate.page()), (DATA, certificate.json()?)];
        let holds = certificate.ensure_proved();
        if self.verify {
            holds?;
            return self.verify(&checkout, &files);
        }
        if !self.even_so {
            holds.as_ref().map_err(not_written)?;
        }
        for (path, text) in &files {
            checkout.write(path, text)?;
        }
        line(format!("wrote `{PAGE}` and `{DATA}`"))?;
        holds
    }

    /// The results of a run now, or of an earlier one.
    fn results(&self, checkout: &Checkout, contract: &Contract) -> Result<Results, Failure> {
        let Some(directory) = &self.from else {
            run::contract(checkout, contract)?;
            return Results::read(&checkout.root().join(RESULTS));
        };
        Results::read(directory)
    }

    /// A certificate needs results.
    fn nothing(&self) -> Failure {
        Failure::new(match &self.from {
            Some(directory) => {
                let directory = directory.display();
                format!("`{directory}` contains no test result: record a run with `{RECORD}`")
            }
            None => {
                "no test ran: fix the error that `cargo test` printed above and try again".into()
            }
        })
    }

    fn verify(&self, checkout: &Checkout, files: &[(&str, String)]) -> Result<(), Failure> {
        for (path, now) in files {
            let committed = checkout.read(path).unwrap_or_default();
            if let Some((number, old, new)) = first_difference(&committed, now) {
                let update = self.from.as_ref().map_or_else(
                    || "cargo xtask parity".into(),
                    |from| format!("cargo xtask parity --from {}", from.display()),
                );
                return Err(Failure::new(format!(
                    "`{path}` differs in line {number}: the file has {old}, the run has {new}; \
                     update it with `{update}`, review the difference and commit it"
                )));
            }
        }
        line(format!("`{PAGE}` and `{DATA}` agree with the run"))
    }
}

/// A certificate that does not hold must not replace the committed one.
fn not_written(failure: &Failure) -> Failure {
    Failure::new(format!(
        "{failure}; `{PAGE}` and `{DATA}` were not changed: write them all the same with `--even-so`"
    ))
}

fn show(certificate: &Certificate) -> Result<(), Failure> {
    for (program, doubt) in &certificate.doubts {
        notice(format!(
            "warning: no test of `{program}` counts as passed: {doubt}; run it again"
        ));
    }
    let rows = certificate.sentences.iter().map(|proved| {
        let outcome = |place: &str| {
            let outcome = proved.outcomes.get(place);
            outcome.map_or(String::new(), |outcome| {
                format!("{place}: {}", outcome.as_str())
            })
        };
        let surfaces = [Provider::Local, Provider::Aws, Provider::Azure];
        let [local, aws, azure] = surfaces.map(|one| outcome(one.as_str()));
        [proved.id.clone(), local, aws, azure, outcome(SHARED)]
    });
    let rows: Vec<_> = rows.collect();
    table("results of the contract", &rows)
}

/// The first line in which two texts differ, with both versions.
fn first_difference(old: &str, new: &str) -> Option<(usize, String, String)> {
    let (mut left, mut right) = (old.lines(), new.lines());
    let shown = |line: Option<&str>| line.map_or("nothing".into(), |line| format!("`{line}`"));
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (one, other) if one == other => {}
            (one, other) => return Some((number, shown(one), shown(other))),
        }
    }
    // Only the end of the last line differs.
    (old != new).then(|| (old.lines().count(), "no end".into(), "an end".into()))
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn first_difference_is_found_at_every_position() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        let found = |left, right| first_difference(left, right).unwrap();
        assert_eq!(found("a\nb\n", "a\nc\n"), (2, "`b`".into(), "`c`".into()));
        assert_eq!(found("a\n", "a\nb\n"), (2, "nothing".into(), "`b`".into()));
        assert_eq!(found("", "a").0, 1);
        assert_eq!(found("a\nb", "a\nb\n").0, 2);
    }
}
