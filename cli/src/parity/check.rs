//! What can be said of parity without running anything.

mod catalog;
mod fields;
mod pages;
mod paths;
mod secrets;
mod templates;

use super::Checkout;
use crate::{
    failure::Failure,
    output::{line, notice},
};

/// What is wrong, one line each: the file, what it lacks, what to do.
type Violations = Vec<String>;

/// One check: what holds when it finds nothing.
struct Check {
    name: &'static str,
    holds: &'static str,
    find: fn(&Checkout) -> Result<Violations, Failure>,
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
        holds: "artifacts lie below one prefix shape",
        find: paths::find,
    },
    Check {
        name: "secrets",
        holds: "nothing that is committed or built looks like a secret",
        find: secrets::find,
    },
];

/// Runs every check and says what came of each.
pub(crate) fn check(checkout: &Checkout) -> Result<(), Failure> {
    let mut count = 0;
    for check in CHECKS {
        let found = (check.find)(checkout).unwrap_or_else(|failure| vec![failure.to_string()]);
        let outcome = if found.is_empty() { "holds" } else { "broken" };
        line(format!("{outcome:<6}  {:<9}  {}", check.name, check.holds))?;
        for violation in &found {
            notice(format!("error: {violation}"));
        }
        count += found.len();
    }
    if count == 0 {
        Ok(())
    } else {
        Err(Failure::reported(1))
    }
}
