//! Tests of the Azure templates: hardening, rights, and agreement with the code.
//!
//! A check returns its findings in a template. Every check runs on the current template, and again
//! on templates that are broken in the way that it must find.

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

pub(crate) use crate::findings::{Findings, expect, expect_equal, expect_members, expect_routes};

pub(crate) const SURFACE: &str = "srf_01j0000000000000000000000a_00001";

/// A property that a template must have.
pub(crate) type Check = fn(&Arm) -> Findings;

pub(crate) fn assert_check(check: Check) {
    let findings = check(&Arm::read(MAIN));
    assert!(findings.is_empty(), "{findings:#?}");
}

/// Values of the parameters without a default.
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

/// The template with these parameters and the required ones.
pub(crate) fn deployed(template: &Arm, more: &[(&'static str, Value)]) -> Arm {
    let mut all = given();
    all.retain(|(name, _)| template.0["parameters"][name].is_object());
    all.extend(more.iter().cloned());
    template.deployed(&all)
}
