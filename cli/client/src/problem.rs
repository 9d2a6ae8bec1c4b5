//! Problem documents (RFC 9457).

use std::{fmt, time::Duration};

use serde_json::Value;
use wm_core::{operation::ProblemKind, value::FieldError};

/// The prefix of the `type` of all problems of this API.
const URN: &str = "urn:wm:problem:";

/// A refused request. `Display` writes the detail: one line that says what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The end of the `type`, such as `not-found`. Empty if the answer is not a problem of this
    /// API.
    pub kind: String,
    /// The cause and what to do next, without control characters.
    pub detail: String,
    /// The id of the request, to quote in a support request.
    pub request_id: Option<String>,
    /// The invalid fields.
    pub errors: Vec<FieldError>,
    /// The capabilities that the caller lacks. They are texts, so that a later version of the API
    /// can add new ones.
    pub missing: Vec<String>,
    /// The waiting time before a retry.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// Reads an answer of unknown origin, such as that of a gateway. Each member is read
    /// separately, so one unusable member does not hide the others.
    pub(crate) fn read(status: u16, body: &Value, retry_after: Option<&str>) -> Self {
        let kind = text(body, "type").and_then(|urn| urn.strip_prefix(URN));
        let detail = match (kind, text(body, "detail")) {
            (Some(_), Some(detail)) => one_line(detail),
            _ => format!(
                "the server answered {status}, and the answer is not from this API; check the server's URL"
            ),
        };
        let missing = list(body, "missing").filter_map(Value::as_str);
        Self {
            status,
            kind: one_line(kind.unwrap_or_default()),
            detail,
            request_id: text(body, "request_id").map(one_line),
            errors: list(body, "errors").filter_map(field_error).collect(),
            missing: missing.map(one_line).collect(),
            retry_after: retry_after
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
        }
    }

    /// Whether the problem is of this kind.
    #[must_use]
    pub fn is(&self, kind: ProblemKind) -> bool {
        kind.urn().strip_prefix(URN) == Some(self.kind.as_str())
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.status, 429 | 500..=599)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.detail)
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn field_error(value: &Value) -> Option<FieldError> {
    Some(FieldError {
        field: one_line(text(value, "field")?),
        message: one_line(text(value, "message")?),
    })
}

/// Replaces control characters, which could break the line or control a terminal.
fn one_line(text: &str) -> String {
    let visible = |character: char| {
        if character.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        }
    };
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn problem_keeps_every_member() {
        let body = json!({
            "type": "urn:wm:problem:escalation", "title": "You cannot hand out more than you have",
            "status": 403, "detail": "ask an owner", "request_id": "req_1",
            "errors": [{ "field": "role", "message": "must be a role" }, { "field": 7 }],
            "missing": ["project.delete", 7],
        });
        let problem = Problem::read(403, &body, Some("7"));
        assert!(problem.is(ProblemKind::Escalation) && !problem.is(ProblemKind::Forbidden));
        assert_eq!(problem.to_string(), "ask an owner");
        assert_eq!(problem.request_id.as_deref(), Some("req_1"));
        assert_eq!(problem.missing, ["project.delete"]);
        assert_eq!(problem.errors.len(), 1);
        assert_eq!(problem.errors[0].field, "role");
        assert_eq!(problem.retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn problem_of_a_gateway_is_recognised() {
        for body in [
            Value::Null,
            json!({ "message": "Forbidden" }),
            json!({ "type": "about:blank", "detail": "x" }),
            json!({ "type": "urn:wm:problem:not-found" }),
        ] {
            let problem = Problem::read(502, &body, Some("soon"));
            assert!(problem.detail.contains("502"), "{problem:?}");
            assert!(problem.detail.contains("not from this API"), "{problem:?}");
            assert_eq!(problem.retry_after, None);
        }
    }

    #[test]
    fn problem_detail_is_one_line() {
        let body = json!({ "type": "urn:wm:problem:conflict", "detail": "a\nb\u{1b}[2J" });
        let problem = Problem::read(409, &body, None);
        assert!(!problem.to_string().contains(char::is_control));
    }
}
