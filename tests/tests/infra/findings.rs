//! Findings of checks in a template.

use std::collections::BTreeSet;

use serde_json::Value;
use wm_core::{operation::Handler, operations};

pub(crate) type Findings = Vec<String>;

/// Adds a finding unless the condition holds.
pub(crate) fn expect(findings: &mut Findings, holds: bool, finding: impl Into<String>) {
    if !holds {
        findings.push(finding.into());
    }
}

/// Adds a finding for each of these members that differs.
pub(crate) fn expect_members(
    findings: &mut Findings,
    title: &str,
    found: &Value,
    expected: &Value,
) {
    for (name, value) in expected.as_object().unwrap() {
        expect_equal(findings, &format!("{title}: `{name}`"), &found[name], value);
    }
}

/// Adds a finding unless the values are equal.
pub(crate) fn expect_equal(findings: &mut Findings, title: &str, found: &Value, expected: &Value) {
    expect(
        findings,
        found == expected,
        format!("{title} is {found}, not {expected}"),
    );
}

/// A route of a gateway: method, path, and whether it requires a token.
pub(crate) type GatewayRoute = (String, String, bool);

/// Adds a finding unless the routes without a token are those of the contract, and all others are
/// behind one path.
pub(crate) fn expect_routes(findings: &mut Findings, routes: &[GatewayRoute], protected: &str) {
    let public: BTreeSet<(&str, &str)> = routes
        .iter()
        .filter(|(_, _, requires_token)| !requires_token)
        .map(|(method, path, _)| (method.as_str(), path.as_str()))
        .collect();
    let contract: BTreeSet<(&str, &str)> = operations::routes()
        .filter(|route| !matches!(route.handler, Handler::UseCase(_)))
        .map(|route| (route.method.as_str(), route.path))
        .collect();
    expect(
        findings,
        public == contract,
        format!("without a token: {public:?}, not {contract:?}"),
    );
    let methods: BTreeSet<&str> = operations::routes()
        .filter(|route| matches!(route.handler, Handler::UseCase(_)))
        .map(|route| {
            assert!(route.path.starts_with("/v1/"), "{}", route.path);
            route.method.as_str()
        })
        .collect();
    let behind: BTreeSet<&str> = routes
        .iter()
        .filter(|(_, path, requires_token)| *requires_token && path == protected)
        .map(|(method, ..)| method.as_str())
        .collect();
    expect(
        findings,
        behind == methods,
        format!("with a token: {behind:?}, not {methods:?}"),
    );
    expect(
        findings,
        routes.len() == public.len() + behind.len(),
        "there are other routes",
    );
}
