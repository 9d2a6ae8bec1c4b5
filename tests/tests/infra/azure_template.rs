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

pub(crate) use crate::findings::{Findings, expect, expect_equal, expect_members, expect_routes};

/// A surface's id.
pub(crate) const SURFACE: &str = "srf_01j0000000000000000000000a_00001";

/// Something a template has to keep.
pub(crate) type Check = fn(&Arm) -> Findings;

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
