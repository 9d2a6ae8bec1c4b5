//! Responses, independent of the HTTP server.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    operation::{Problem, Reply},
    value::RequestId,
};

/// A response that any HTTP server can send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Response {
    pub status: u16,
    /// The headers by lower-case name.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Builds the response to a request that succeeded. Signed URLs are already part of the reply's
    /// body.
    #[must_use]
    pub fn from_reply(reply: Reply, request_id: RequestId) -> Self {
        let mut headers = common_headers(request_id);
        headers.extend(reply.etag.map(|etag| ("etag", etag.header())));
        headers.extend(reply.location.map(|location| ("location", location)));
        let body = reply.body.map(|body| {
            headers.push(("content-type", "application/json".to_string()));
            body.to_string().into_bytes()
        });
        Self {
            status: reply.status,
            headers,
            body: body.unwrap_or_default(),
        }
    }

    /// Builds the response to a request that was refused or failed.
    #[must_use]
    pub fn from_problem(problem: &Problem, request_id: RequestId) -> Self {
        let mut headers = common_headers(request_id);
        headers.push(("content-type", "application/problem+json".to_string()));
        headers.extend(
            problem
                .retry_after
                .map(|seconds| ("retry-after", seconds.to_string())),
        );
        if problem.kind.status() == 401 {
            headers.push(("www-authenticate", "Bearer".to_string()));
        }
        Self {
            status: problem.kind.status(),
            headers,
            body: serde_json::to_vec(&problem.view(request_id)).unwrap_or_default(),
        }
    }
}

/// The headers of every response: the request id, and headers that forbid caching and content
/// sniffing.
fn common_headers(request_id: RequestId) -> Vec<(&'static str, String)> {
    [
        ("x-request-id", format!("{request_id}")),
        ("cache-control", "no-store".to_string()),
        ("x-content-type-options", "nosniff".to_string()),
    ]
    .into()
}
