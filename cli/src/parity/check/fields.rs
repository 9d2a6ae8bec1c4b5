//! Every field of every record is explained.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Checkout, Violations};
use crate::failure::Failure;

/// Where the fields are explained.
const MODEL: &str = "docs/data-identity-model.md";
/// Examples of every family, one file each, in which every field occurs.
const EXAMPLES: &str = "tests/goldens/items";
/// Members whose own members are data, not fields.
const FREE: [&str; 3] = ["clock", "labels", "values"];

pub(super) fn find(checkout: &Checkout) -> Result<Violations, Failure> {
    let model = checkout.read(MODEL)?;
    let explained = quoted(&model);
    let mut violations = Violations::new();
    for example in checkout.texts(EXAMPLES)? {
        let records: Value = serde_json::from_str(&example.text).map_err(|error| {
            let message = format!(
                "`{}` holds no records; write it anew with `UPDATE_GOLDENS=1 cargo test -p wm-tests --test items`",
                example.path
            );
            Failure::because(message, error)
        })?;
        let mut names = BTreeSet::from([family(&example.path)]);
        collect(&records, &mut names);
        let missing = names.iter().filter(|name| !explained.contains(**name));
        violations.extend(missing.map(|name| {
            format!(
                "`{MODEL}` does not name `{name}`, which is in `{}`: say what it means, in backticks",
                example.path
            )
        }));
    }
    Ok(violations)
}

/// The family of a file of examples.
fn family(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}

fn collect<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        Value::Object(members) => {
            for (name, value) in members {
                names.insert(name);
                if !FREE.contains(&name.as_str()) {
                    collect(value, names);
                }
            }
        }
        _ => {}
    }
}

/// The words a page sets in backticks, fenced blocks left out.
fn quoted(page: &str) -> BTreeSet<&str> {
    let prose = page.split("```").step_by(2);
    let lines = prose.flat_map(str::lines);
    lines
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}
