//! Errors in answers of services.

use azure_core::{error::ErrorKind, http::StatusCode};
use serde_json::Value;
use wm_deploy::service_error::{ServiceError, innermost};

/// Error codes for missing permissions.
const DENIED: &[&str] = &[
    "AuthorizationFailed",
    "AuthorizationPermissionMismatch",
    "AuthorizationFailure",
    "LinkedAuthorizationFailed",
    "RequestDisallowedByPolicy",
];
/// Error codes for an invalid sign-in.
const UNKNOWN: &[&str] = &[
    "AuthenticationFailed",
    "ExpiredAuthenticationToken",
    "InvalidAuthenticationToken",
    "InvalidAuthenticationInfo",
    "InvalidAuthenticationTokenTenant",
];

/// The error of a request without an answer. The action is named as in roles.
pub(crate) fn unanswered(action: &str, error: azure_core::Error) -> ServiceError {
    let advice = match error.kind() {
        ErrorKind::Credential => "no account is signed in: run `az login` and try again",
        _ => "the service cannot be reached: check the network and try again",
    };
    ServiceError::new(action, None, advice, innermost(&error)).from_source(error)
}

/// The error of an answer with an unsuccessful status.
pub(crate) fn refused(action: &str, status: StatusCode, body: &[u8]) -> ServiceError {
    let (code, message) = code_and_message(body);
    let has = |codes: &[&str]| code.as_deref().is_some_and(|code| codes.contains(&code));
    let advice = match status {
        _ if has(UNKNOWN) => "this sign-in is not valid: run `az login` and try again",
        StatusCode::Unauthorized => "this sign-in is not valid: run `az login` and try again",
        _ if has(DENIED) => "you lack the permission: request it and try again",
        StatusCode::Forbidden => "you lack the permission: request it and try again",
        StatusCode::TooManyRequests => "the service is busy: wait a minute and try again",
        _ => "correct the cause and try again",
    };
    let words = match (&code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.clone(),
        (None, Some(message)) => message,
        (None, None) => format!("status {}", u16::from(status)),
    };
    ServiceError::new(action, code, advice, words)
}

/// The error of an answer in an unknown form.
pub(super) fn unreadable(action: &str, words: impl AsRef<str>) -> ServiceError {
    let advice = "the answer of the service has an unknown format: try again";
    ServiceError::new(action, None, advice, words)
}

/// Code and message of an answer in JSON, or in XML from the object store.
fn code_and_message(body: &[u8]) -> (Option<String>, Option<String>) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    if let Ok(answer) = serde_json::from_slice::<Value>(body) {
        let error = answer.get("error").unwrap_or(&answer);
        return (text(error.get("code")), text(error.get("message")));
    }
    let whole = String::from_utf8_lossy(body);
    let element = |name: &str| {
        let (_, rest) = whole.split_once(&format!("<{name}>"))?;
        rest.split_once('<').map(|(text, _)| text.to_owned())
    };
    (element("Code"), element("Message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_xml_errors_become_one_line() {
        let json = br#"{"error":{"code":"AuthorizationFailed","message":"not\n you"}}"#;
        let denied = refused("a/write", StatusCode::Forbidden, json);
        assert_eq!(
            denied.to_string(),
            "`a/write` failed, you lack the permission: request it and try again (AuthorizationFailed: not you)"
        );
        let xml = b"<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>gone</Message></Error>";
        let missing = refused("a/read", StatusCode::NotFound, xml);
        assert_eq!(missing.code(), Some("BlobNotFound"));
        let empty = refused("a/read", StatusCode::InternalServerError, b"");
        assert!(empty.to_string().ends_with("(status 500)"), "{empty}");
    }
}
