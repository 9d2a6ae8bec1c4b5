//! The templates and the handler on the page.

use std::collections::BTreeMap;

use regex::Regex;
use wm_tests::{
    arm::{Arm, MAIN, SITE},
    repository,
};

use super::{deployed, functions};

fn page() -> String {
    std::fs::read_to_string(repository::root().join("docs/azure.md")).unwrap()
}

/// The rows of the page's table of variables: name, and whether the template sets it.
fn documented(page: &str) -> BTreeMap<String, bool> {
    let row = Regex::new(r"(?m)^\| `([A-Za-z0-9_]+)` \| ([^|]*) \| ([^|]*) \|").unwrap();
    let rows = row.captures_iter(page);
    rows.map(|row| (row[1].to_owned(), row[3].trim() == "yes"))
        .collect()
}

#[test]
fn page_lists_every_variable_and_which_are_set() {
    let page = page();
    let documented = documented(&page);
    let app_settings = functions::app_settings(&Arm::read(MAIN));
    for name in app_settings.keys() {
        assert_eq!(documented.get(name), Some(&true), "`{name}`");
    }
    for (name, set) in &documented {
        assert_eq!(*set, app_settings.contains_key(name), "`{name}`");
    }
    // The page lists every name in the code that looks like a variable.
    let name = Regex::new("\"((?:AZURE|WM)_[A-Z0-9_]+)\"").unwrap();
    let code = [functions::code(), repository::sources("infra/azure/src/")].concat();
    for variable in name.captures_iter(&code).map(|found| found[1].to_owned()) {
        assert!(
            documented.contains_key(&variable) || page.contains(&format!("`{variable}`")),
            "docs/azure.md does not name `{variable}`"
        );
    }
    assert!(app_settings.len() > 20, "{app_settings:?}");
}

#[test]
fn page_describes_every_parameter() {
    let page = page();
    for path in [MAIN, SITE] {
        for name in Arm::read(path).0["parameters"].as_object().unwrap().keys() {
            assert!(
                page.contains(&format!("`{name}`")),
                "docs/azure.md does not name the parameter `{name}`"
            );
        }
    }
}

#[test]
fn page_describes_every_alarm() {
    let page = page();
    let template = deployed(&Arm::read(MAIN), &[]);
    for (_, alarm) in template.of_type("Microsoft.Insights/metricAlerts") {
        let name = alarm["name"].as_str().unwrap();
        let ending = name.strip_prefix("workspace-management-dev-").unwrap();
        assert!(
            page.contains(&format!("`…-{ending}`")),
            "docs/azure.md does not name `{name}`"
        );
    }
}
