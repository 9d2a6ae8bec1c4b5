//! Requests as the Functions host hands them over.

use tracing::Span;
use warp::http::HeaderMap;
use wm_core::http::Request;

/// What the front ends of App Service put on every request from outside, and the host on none of its own.
/// A client can add to them, and cannot leave them out.
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

/// The id of an invocation, on envelopes and on requests that are passed through.
const INVOCATION: [&str; 2] = ["x-azure-functions-invocationid", "x-ms-invocation-id"];

/// Whether a client sent this, rather than the host.
pub(crate) fn came_from_outside(headers: &HeaderMap) -> bool {
    OUTSIDE.iter().any(|name| headers.contains_key(*name))
}

/// The host's id of the invocation.
pub(crate) fn invocation_id(headers: &HeaderMap) -> Option<String> {
    let mut values = INVOCATION.iter().filter_map(|name| headers.get(*name));
    let value = values.next()?.to_str().ok()?;
    Some(value.to_owned())
}

/// The same of a request.
pub(crate) fn invocation_of(request: &Request) -> Option<String> {
    let mut values = INVOCATION.iter().filter_map(|name| request.header(name));
    values.next().map(str::to_owned)
}

/// What the log says of an envelope, beside what happens.
pub(crate) fn invocation(function: &str, headers: &HeaderMap) -> Span {
    let trace = headers.get("traceparent");
    let trace = trace.and_then(|value| value.to_str().ok());
    span(function, invocation_id(headers).as_deref(), trace)
}

/// What the log says of a request, beside what happens.
pub(crate) fn span_of(function: &str, request: &Request) -> Span {
    let trace = request.header("traceparent");
    span(function, invocation_of(request).as_deref(), trace)
}

/// At the level of errors, so that it is there whatever is logged.
fn span(function: &str, invocation_id: Option<&str>, traceparent: Option<&str>) -> Span {
    tracing::error_span!("invocation", function, invocation_id, traceparent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_mark_of_a_front_end_is_enough() {
        let mut own = HeaderMap::new();
        for name in ["host", "user-agent", "content-type", INVOCATION[0]] {
            own.insert(name, "x".parse().unwrap());
        }
        assert!(!came_from_outside(&own));
        for name in OUTSIDE {
            let mut headers = own.clone();
            headers.insert(name, "".parse().unwrap());
            assert!(came_from_outside(&headers), "{name}");
        }
    }
}
