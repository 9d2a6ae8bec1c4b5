//! What an API call may end in.

use std::time::Duration;

use serde_json::Value;

use crate::{failure::Failure, output::plain};

/// Why an API call gave no good answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The surface refused.
    Refused(Refusal),
    /// The surface at this address did not answer.
    Unreachable(String, reqwest::Error),
    /// The answer is none of this API.
    Unexpected(serde_json::Error),
    /// There is no token to send.
    Token(Failure),
}

/// A problem, as answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status.
    pub(crate) status: u16,
    /// The kind, such as `not-found`; empty if the answer was no problem of ours.
    pub(crate) kind: String,
    /// What happened and what to do.
    pub(crate) detail: String,
    /// The capabilities lacked.
    pub(crate) missing: Vec<String>,
    /// After how long a retry makes sense.
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads the problem out of an answer, whoever gave it.
    pub(crate) fn read(status: u16, body: &Value, retry_after: Option<&str>) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let kind = text("type").and_then(|urn| urn.strip_prefix("urn:wm:problem:"));
        let detail = match (kind, text("detail")) {
            (Some(_), Some(detail)) => plain(detail),
            _ => format!(
                "the server answered {status} in words that are not of this API; check `--server`"
            ),
        };
        let missing = body.get("missing").and_then(Value::as_array);
        let names = missing.into_iter().flatten().filter_map(Value::as_str);
        Self {
            status,
            kind: plain(kind.unwrap_or_default()),
            detail,
            missing: names.map(plain).collect(),
            retry_after: retry_after
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
        }
    }
}

impl ApiError {
    /// Whether trying again makes sense, and after how long if the surface said.
    #[expect(
        clippy::option_option,
        reason = "whether to retry, and what was asked for, are two things"
    )]
    pub(crate) fn passes(&self) -> Option<Option<Duration>> {
        match self {
            Self::Refused(refusal) if matches!(refusal.status, 429 | 500..=599) => {
                Some(refusal.retry_after)
            }
            Self::Unreachable(..) => Some(None),
            Self::Refused(_) | Self::Unexpected(_) | Self::Token(_) => None,
        }
    }

    /// The problem, if the surface refused.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Refused(Refusal {
                status: 401,
                detail,
                ..
            }) => Self::new(format!(
                "{detail}: get a token with `wm token` and set it as `WM_TOKEN`"
            )),
            ApiError::Refused(refusal) => Self::new(refusal.detail),
            ApiError::Unreachable(server, error) => Self::because(
                format!(
                    "`{server}` does not answer; start it with `wm serve`, or name another with `--server`"
                ),
                error,
            ),
            ApiError::Unexpected(error) => {
                Self::because("the answer is not of this API; check `--server`", error)
            }
            ApiError::Token(failure) => failure,
        }
    }
}
