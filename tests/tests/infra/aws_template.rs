//! What the templates of AWS promise: hardening, rights, and that they say what the code says.
//!
//! A check answers what it finds wrong with a template. Every one is tried on the template as it is,
//! and again on templates that were broken in the way it is there to find.

mod api;
mod broken;
mod data;
mod events;
mod functions;
mod operation;
mod page;
mod people;
mod rights;
mod site;

use serde_json::Value;
use wm_aws::config::Function;
use wm_tests::infra::{TEMPLATE, Template, each, function};

pub(crate) use crate::findings::{Findings, expect, expect_members, expect_routes};

/// Something a template has to keep.
pub(crate) type Check = fn(&Template) -> Findings;

pub(crate) fn hold(check: Check) {
    let findings = check(&Template::read(TEMPLATE));
    assert!(findings.is_empty(), "{findings:#?}");
}

/// The logical name of a function's resource and the folder of its binary.
pub(crate) fn functions() -> Vec<(String, &'static str)> {
    let capitalised = |name: &'static str| {
        let (first, rest) = name.split_at(1);
        (format!("{}{rest}Function", first.to_uppercase()), name)
    };
    Function::ALL
        .map(|function| capitalised(function.name()))
        .into()
}

/// The resource that a reference leads to.
pub(crate) fn target(value: &Value) -> Option<&str> {
    let (_, argument) = function(value)?;
    each(argument).first()?.as_str()
}
