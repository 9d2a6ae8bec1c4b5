//! Nothing that is committed or built holds a secret.

use wm_core::selection::BackendSelection;
use wm_terminal::{secrets, site};

use super::{Checkout, Violations};
use crate::{failure::Failure, parity::checkout::Text};

/// What every selection says, wherever it is kept.
const SELECTION: &str = "export const backendSelection = ";
/// Where the console is built to.
const BUILT: [&str; 2] = ["web/dist", "web/build"];

pub(super) fn find(checkout: &Checkout) -> Result<Violations, Failure> {
    let mut violations = Violations::new();
    for text in checkout.texts("")? {
        violations.extend(given_away(&text));
        if text.path.ends_with(".js") && text.text.contains(SELECTION) {
            violations.extend(unfit(&text));
        }
    }
    for folder in BUILT.into_iter().filter(|folder| checkout.has(folder)) {
        let site = site::read(&checkout.root().join(folder));
        violations.extend(site.err().map(|failure| format!("`{folder}`: {failure}")));
    }
    Ok(violations)
}

/// What a file gives away, by its lines, without repeating it.
fn given_away(text: &Text) -> Violations {
    let lines = (1..).zip(text.text.lines());
    let found = lines.filter_map(|(number, line)| Some((number, secrets::in_source(line)?)));
    found
        .map(|(number, what)| {
            format!(
                "`{}` holds {what} in line {number}: take it out, and make it worthless if it was real",
                text.path
            )
        })
        .collect()
}

/// What a selection holds that it must not.
fn unfit(text: &Text) -> Violations {
    let errors = BackendSelection::read(&text.text).err().unwrap_or_default();
    let errors = errors.iter();
    errors
        .map(|error| format!("`{}`: `{}` {}", text.path, error.field, error.message))
        .collect()
}
