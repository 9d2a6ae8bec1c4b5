//! Values of flags and variables.

use wm_core::value::FieldError;

use crate::failure::Failure;

/// The value of a flag. An empty value counts as missing.
#[must_use]
pub fn given(flag: Option<&String>) -> Option<&str> {
    flag.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// Errors on one line.
#[must_use]
pub fn listed(errors: &[FieldError]) -> Failure {
    let errors = errors.iter();
    let errors: Vec<_> = errors
        .map(|error| format!("`{}` {}", error.field, error.message))
        .collect();
    Failure::usage(errors.join("; "))
}
