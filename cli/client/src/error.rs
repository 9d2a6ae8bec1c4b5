//! The errors of API calls.

use std::time::Duration;

use thiserror::Error;

use crate::{problem::Problem, token::TokenError};

/// The error of an API call. `Display` is one line that says what to do next. The cause is the
/// source.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The surface refused the request.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// There was no answer, or only part of one.
    #[error("`{server}` does not answer; start it, or check the server's URL")]
    Unreachable {
        /// The base URL.
        server: String,
        /// The cause. Its text contains no URL.
        source: reqwest::Error,
    },
    /// The answer does not have the expected shape.
    #[error("the answer is not from this API; check the server's URL")]
    Unexpected(#[source] serde_json::Error),
    /// The request body cannot be written as JSON.
    #[error("the request body is not valid JSON; check its values")]
    Body(#[source] serde_json::Error),
    /// The [`TokenSource`](crate::TokenSource) has no token.
    #[error("there is no token; sign in again")]
    Token(#[source] TokenError),
    /// The HTTP client could not be built.
    #[error("the HTTP client did not start")]
    Start(#[source] reqwest::Error),
}

impl ApiError {
    /// The problem, if the surface refused the request.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the surface refused the request with this HTTP status.
    #[must_use]
    pub fn is_status(&self, status: u16) -> bool {
        self.problem()
            .is_some_and(|problem| problem.status == status)
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.is_transient(),
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }

    /// The waiting time that the surface asked for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.problem().and_then(|problem| problem.retry_after)
    }
}
