//! Tests of the AWS templates: hardening, rights, and agreement with the code.
//!
//! A check returns its findings in a template. Every check runs on the current template, and again
//! on templates that are broken in the way that it must find.

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

/// A property that a template must have.
pub(crate) type Check = fn(&Template) -> Findings;

pub(crate) fn assert_check(check: Check) {
    let findings = check(&Template::read(TEMPLATE));
    assert!(findings.is_empty(), "{findings:#?}");
}

/// The logical name of each function's resource and the folder of its binary.
pub(crate) fn functions() -> Vec<(String, &'static str)> {
    let capitalised = |name: &'static str| {
        let (first, rest) = name.split_at(1);
        (format!("{}{rest}Function", first.to_uppercase()), name)
    };
    Function::ALL
        .map(|function| capitalised(function.name()))
        .into()
}

/// The resource that a reference names.
pub(crate) fn target(value: &Value) -> Option<&str> {
    let (_, argument) = function(value)?;
    each(argument).first()?.as_str()
}
