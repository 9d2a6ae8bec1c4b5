//! Checks of parity that run no tests.

mod catalog;
mod fields;
mod pages;
mod paths;
mod secrets;
mod templates;

use crate::{
    checkout::Checkout,
    failure::Failure,
    output::{line, notice},
};

/// One line per violation: the file, the problem and the remedy.
type Violations = Vec<String>;

/// The result of a check.
struct Found {
    /// The amount of checked input, so that an empty check is visible.
    looked_at: String,
    violations: Violations,
}

/// One check, with the statement that holds if it finds no violation.
struct Check {
    name: &'static str,
    holds: &'static str,
    find: fn(&Checkout) -> Result<Found, Failure>,
}

const CHECKS: [Check; 6] = [
    Check {
        name: "fields",
        holds: "every field of every record is in the data and identity model",
        find: fields::find,
    },
    Check {
        name: "pages",
        holds: "the pages of both clouds describe the same concerns in the same order",
        find: pages::find,
    },
    Check {
        name: "catalog",
        holds: "every provider has labels and defaults for the same concerns",
        find: catalog::find,
    },
    Check {
        name: "templates",
        holds: "the templates of both clouds declare the same concerns",
        find: templates::find,
    },
    Check {
        name: "paths",
        holds: "artifacts are below one prefix shape",
        find: paths::find,
    },
    Check {
        name: "secrets",
        holds: "no committed or built file contains a secret",
        find: secrets::find,
    },
];

/// Runs every check and prints its result.
pub(crate) fn check(checkout: &Checkout) -> Result<(), Failure> {
    let mut count = 0;
    for check in CHECKS {
        let found = (check.find)(checkout).unwrap_or_else(|failure| Found {
            looked_at: "stopped".into(),
            violations: vec![failure.to_string()],
        });
        let Found {
            looked_at,
            violations,
        } = found;
        let outcome = if violations.is_empty() {
            "holds"
        } else {
            "broken"
        };
        let Check { name, holds, .. } = check;
        line(format!("{outcome:<6}  {name:<9}  {holds} ({looked_at})"))?;
        for violation in &violations {
            notice(format!("error: {violation}"));
        }
        count += violations.len();
    }
    if count == 0 {
        Ok(())
    } else {
        Err(Failure::reported(1))
    }
}

/// `1 file`, `2 files`.
fn many(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}
