//! The templates in linters and on the page.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use regex::Regex;
use wm_aws::config::Function;
use wm_tests::{
    infra::{TEMPLATE, Template},
    repository, tools,
};

use super::{functions, functions::code};

#[test]
fn templates_pass_the_linters() {
    let python = tools::python_environment("aws-lint", "tests/tools/aws-lint/requirements.txt");
    let linted = Command::new(python)
        .arg(repository::root().join("infra/aws/lint.py"))
        .output()
        .unwrap();
    let printed =
        [linted.stdout, linted.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(linted.status.success(), "{}", printed.concat());
}

/// The rows of the page's table of variables: name, and the functions that receive it from the
/// template.
fn documented(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let row = Regex::new(r"(?m)^\| `([A-Z0-9_]+)` \| ([^|]*) \| ([^|]*) \|").unwrap();
    let rows = row.captures_iter(page).map(|row| {
        let given = row[3].trim();
        let functions: BTreeSet<String> = match given {
            "all" => Function::ALL
                .iter()
                .map(|function| function.name().to_owned())
                .collect(),
            given => given
                .split([',', ' '])
                .filter(|name| !name.is_empty() && *name != "-")
                .map(str::to_owned)
                .collect(),
        };
        (row[1].to_owned(), functions)
    });
    rows.collect()
}

#[test]
fn page_lists_every_variable_and_its_functions() {
    let page = std::fs::read_to_string(repository::root().join("docs/aws.md")).unwrap();
    let documented = documented(&page);
    let template = Template::read(TEMPLATE);
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, function) in functions() {
        for variable in template.variables(&name).into_iter().map(|(name, _)| name) {
            given
                .entry(variable)
                .or_default()
                .insert(function.to_owned());
        }
    }
    for (variable, functions) in &given {
        assert_eq!(documented.get(variable), Some(functions), "`{variable}`");
    }
    // The page lists every name in the code that looks like a variable.
    let name = Regex::new("\"((?:AWS|WM)_[A-Z0-9_]+)\"").unwrap();
    let code = [code(), repository::sources("infra/aws/src/")].concat();
    for variable in name.captures_iter(&code).map(|found| found[1].to_owned()) {
        assert!(
            page.contains(&format!("`{variable}`")),
            "docs/aws.md does not name `{variable}`"
        );
    }
    assert!(
        given.len() > 8 && documented.len() > given.len(),
        "{given:?}"
    );
}
