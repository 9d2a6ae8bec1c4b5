//! Why setting up stops.

use std::{error::Error, fmt};

use azure_core::{error::ErrorKind, http::StatusCode};
use serde_json::Value;

/// Why setting up stops.
#[derive(Debug)]
pub enum SetupError {
    /// What is there cannot be mended; nothing was changed. One text for each thing that is wrong,
    /// with what to do about it.
    Refused(Vec<String>),
    /// A service did not do what it was asked.
    Service(ServiceError),
    /// An address that cannot be one.
    Address(&'static str),
}

impl fmt::Display for SetupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reasons) => formatter.write_str(&reasons.join("; ")),
            Self::Service(error) => error.fmt(formatter),
            Self::Address(name) => write!(
                formatter,
                "`{name}` is no address that begins with `https://`: set it right; only a loopback address may do without"
            ),
        }
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Service(error) => error.source(),
            Self::Refused(_) | Self::Address(_) => None,
        }
    }
}

impl From<ServiceError> for SetupError {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// What a service answered when it did not do what it was asked, in words for people.
#[derive(Debug)]
pub struct ServiceError {
    action: String,
    code: Option<String>,
    advice: &'static str,
    words: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Codes that say: you may not.
const DENIED: &[&str] = &[
    "AuthorizationFailed",
    "AuthorizationPermissionMismatch",
    "AuthorizationFailure",
    "LinkedAuthorizationFailed",
    "RequestDisallowedByPolicy",
];
/// Codes that say: not you.
const UNKNOWN: &[&str] = &[
    "AuthenticationFailed",
    "ExpiredAuthenticationToken",
    "InvalidAuthenticationToken",
    "InvalidAuthenticationInfo",
    "InvalidAuthenticationTokenTenant",
];

impl ServiceError {
    /// For a request to which no answer came, named as roles name the action.
    pub fn unanswered(action: &str, error: azure_core::Error) -> Self {
        let advice = match error.kind() {
            ErrorKind::Credential => "nobody is signed in: run `az login` and try again",
            _ => "the service cannot be reached: check the network and try again",
        };
        Self {
            action: action.to_owned(),
            code: None,
            advice,
            words: one_line(&innermost(&error)),
            source: Some(error.into()),
        }
    }

    /// For an answer that says no.
    #[must_use]
    pub fn answered(action: &str, status: StatusCode, body: &[u8]) -> Self {
        let (code, message) = said(body);
        let has = |codes: &[&str]| code.as_deref().is_some_and(|code| codes.contains(&code));
        let advice = match status {
            _ if has(UNKNOWN) => "this sign-in is not valid: run `az login` and try again",
            StatusCode::Unauthorized => "this sign-in is not valid: run `az login` and try again",
            _ if has(DENIED) => "you may not: have the action allowed and try again",
            StatusCode::Forbidden => "you may not: have the action allowed and try again",
            StatusCode::TooManyRequests => "the service is busy: wait a minute and try again",
            _ => "mend what it says and try again",
        };
        let words = match (&code, message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.clone(),
            (None, Some(message)) => message,
            (None, None) => format!("status {}", u16::from(status)),
        };
        Self {
            action: action.to_owned(),
            code,
            advice,
            words: one_line(&words),
            source: None,
        }
    }

    /// For an answer that is none.
    pub(super) fn unreadable(action: &str, words: impl Into<String>) -> Self {
        Self {
            action: action.to_owned(),
            code: None,
            advice: "the service answers in another way than is known: try again",
            words: words.into(),
            source: None,
        }
    }

    /// The service's code of the error, such as `AuthorizationFailed`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

/// The code and the words of an answer, in JSON or, from the object store, in XML.
fn said(body: &[u8]) -> (Option<String>, Option<String>) {
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

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for ServiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            advice,
            words,
            ..
        } = self;
        write!(formatter, "`{action}` failed, {advice} ({words})")
    }
}

impl Error for ServiceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_in_json_and_xml_are_told_on_one_line() {
        let json = br#"{"error":{"code":"AuthorizationFailed","message":"not\n you"}}"#;
        let denied = ServiceError::answered("a/write", StatusCode::Forbidden, json);
        assert_eq!(
            denied.to_string(),
            "`a/write` failed, you may not: have the action allowed and try again (AuthorizationFailed: not you)"
        );
        let xml = b"<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>gone</Message></Error>";
        let missing = ServiceError::answered("a/read", StatusCode::NotFound, xml);
        assert_eq!(missing.code(), Some("BlobNotFound"));
        let empty = ServiceError::answered("a/read", StatusCode::InternalServerError, b"");
        assert!(empty.to_string().ends_with("(status 500)"), "{empty}");
    }
}
