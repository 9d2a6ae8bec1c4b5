//! What people write in flags and variables.

use wm_core::value::FieldError;

use crate::failure::Failure;

/// A flag that is not empty: an empty variable is one that is not set.
#[must_use]
pub fn given(flag: Option<&String>) -> Option<&str> {
    flag.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// Problems on one line.
#[must_use]
pub fn listed(errors: &[FieldError]) -> Failure {
    let errors = errors.iter();
    let errors: Vec<_> = errors
        .map(|error| format!("`{}` {}", error.field, error.message))
        .collect();
    Failure::usage(errors.join("; "))
}
