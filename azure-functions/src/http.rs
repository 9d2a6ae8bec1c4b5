//! Requests from the Functions host.

use tracing::Span;
use warp::http::HeaderMap;
use wm_core::http::Request;

/// Headers that the front ends of App Service add to every request from outside, and the host to
/// none of its own. A client can add values, but cannot remove these headers.
const OUTSIDE: [&str; 10] = [
    "client-ip",
    "disguised-host",
    "max-forwards",
    "was-default-hostname",
    "x-arr-log-id",
    "x-arr-ssl",
    "x-forwarded-for",
    "x-original-url",
    "x-site-deployment-id",
    "x-waws-unencoded-url",
];

/// The id of an invocation, on envelopes and on forwarded requests.
const INVOCATION: [&str; 2] = ["x-azure-functions-invocationid", "x-ms-invocation-id"];

/// Whether a client sent this request, and not the host.
pub(crate) fn came_from_outside(headers: &HeaderMap) -> bool {
    OUTSIDE.iter().any(|name| headers.contains_key(*name))
}

/// The host's id of the invocation.
pub(crate) fn invocation_id(headers: &HeaderMap) -> Option<String> {
    let mut values = INVOCATION.iter().filter_map(|name| headers.get(*name));
    let value = values.next()?.to_str().ok()?;
    Some(value.to_owned())
}

/// The host's id of the invocation of a request.
pub(crate) fn invocation_of(request: &Request) -> Option<String> {
    let mut values = INVOCATION.iter().filter_map(|name| request.header(name));
    values.next().map(str::to_owned)
}

/// The log span of an envelope.
pub(crate) fn invocation(function: &str, headers: &HeaderMap) -> Span {
    let trace = headers.get("traceparent");
    let trace = trace.and_then(|value| value.to_str().ok());
    span(function, invocation_id(headers).as_deref(), trace)
}

/// The log span of a request.
pub(crate) fn span_of(function: &str, request: &Request) -> Span {
    let trace = request.header("traceparent");
    span(function, invocation_of(request).as_deref(), trace)
}

/// Spans have the level `ERROR`, so that they appear at every log level.
fn span(function: &str, invocation_id: Option<&str>, traceparent: Option<&str>) -> Span {
    tracing::error_span!("invocation", function, invocation_id, traceparent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_header_of_a_front_end_marks_a_request_from_outside() {
        let mut internal = HeaderMap::new();
        for name in ["host", "user-agent", "content-type", INVOCATION[0]] {
            internal.insert(name, "x".parse().unwrap());
        }
        assert!(!came_from_outside(&internal));
        for name in OUTSIDE {
            let mut headers = internal.clone();
            headers.insert(name, "".parse().unwrap());
            assert!(came_from_outside(&headers), "{name}");
        }
    }
}
