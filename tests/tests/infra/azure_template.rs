//! What the templates of Azure promise: hardening, rights, and that they say what the code says.
//!
//! A check answers what it finds wrong with a template. Every one is tried on the template as it is,
//! and again on templates that were broken in the way it is there to find.

mod api;
mod baseline;
mod broken;
mod container;
mod data;
mod events;
mod functions;
mod operation;
mod page;
mod rights;
mod schemas;
mod secrets;
mod site;

use serde_json::{Value, json};
use wm_tests::arm::{Arm, MAIN};

/// A surface's id.
pub(crate) const SURFACE: &str = "srf_01j0000000000000000000000a_00001";

/// What is wrong with a template.
pub(crate) type Findings = Vec<String>;
/// Something a template has to keep.
pub(crate) type Check = fn(&Arm) -> Findings;

/// Notes a finding unless this holds.
pub(crate) fn expect(findings: &mut Findings, holds: bool, finding: impl Into<String>) {
    if !holds {
        findings.push(finding.into());
    }
}

/// Notes a finding for each of these members that is otherwise.
pub(crate) fn expect_members(
    findings: &mut Findings,
    title: &str,
    found: &Value,
    expected: &Value,
) {
    for (name, value) in expected.as_object().unwrap() {
        let at = &found[name];
        let line = format!("{title}: `{name}` is {at}, not {value}");
        expect(findings, at == value, line);
    }
}

/// A finding for each that is not equal, named.
pub(crate) fn expect_equal(findings: &mut Findings, title: &str, found: &Value, expected: &Value) {
    expect(
        findings,
        found == expected,
        format!("{title} is {found}, not {expected}"),
    );
}

pub(crate) fn hold(check: Check) {
    let findings = check(&Arm::read(MAIN));
    assert!(findings.is_empty(), "{findings:#?}");
}

/// The parameters that have no default, as somebody might give them.
pub(crate) fn given() -> Vec<(&'static str, Value)> {
    vec![
        ("surfaceId", json!(SURFACE)),
        ("entraIssuer", json!("https://t.example.com/t/v2.0")),
        ("entraTenant", json!("00000000-0000-0000-0000-00000000000t")),
        ("entraClients", json!(["one", "two"])),
        ("publisherEmail", json!("ops@example.com")),
        ("image", json!("registry.azurecr.io/api@sha256:0")),
    ]
}

/// The template with these parameters and, beside them, those it cannot do without.
pub(crate) fn deployed(template: &Arm, more: &[(&'static str, Value)]) -> Arm {
    let mut all = given();
    all.retain(|(name, _)| template.0["parameters"][name].is_object());
    all.extend(more.iter().cloned());
    template.deployed(&all)
}
