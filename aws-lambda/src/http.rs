//! Requests of API Gateway, function URLs and load balancers, and the answers to them.

use lambda_http::{
    Body, Context,
    http::{HeaderMap, HeaderName, HeaderValue, Response as HttpResponse, StatusCode},
    request::LambdaRequest,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use wm_core::api::{Request, Response};

use crate::telemetry::traceparent;

/// What may not stand in a path as it is (RFC 3986 section 3.3). `%` stays: it is the client's own.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a client asked for, as it asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    path: String,
    query: String,
}

impl Target {
    /// Takes the target out of an event. The library would parse it as a URL, which resolves `..`, and
    /// panics where it cannot; the route table takes paths as they are and refuses what it does not know.
    pub fn take(event: &mut LambdaRequest) -> Self {
        let (path, query) = match event {
            LambdaRequest::ApiGatewayV2(request) => {
                request.headers.remove("host");
                request.request_context.domain_name = None;
                request.request_context.stage = None;
                let path = request.raw_path.replace("/".into());
                (path, request.raw_query_string.take())
            }
            LambdaRequest::Alb(request) => {
                request.headers.remove("host");
                request.multi_value_headers.remove("host");
                let path = request.path.replace("/".into());
                let single = std::mem::take(&mut request.query_string_parameters);
                let multiple = std::mem::take(&mut request.multi_value_query_string_parameters);
                // A load balancer hands names and values over still encoded.
                let joined = |pairs: Vec<(&str, &str)>| {
                    let pairs = pairs
                        .into_iter()
                        .map(|(name, value)| format!("{name}={value}"));
                    pairs.collect::<Vec<_>>().join("&")
                };
                let parameters = if multiple.is_empty() {
                    single
                } else {
                    multiple
                };
                (path, Some(joined(parameters.iter().collect())))
            }
            _ => (None, None),
        };
        let path = path.unwrap_or_default();
        Self {
            path: utf8_percent_encode(&path, PATH).to_string(),
            query: query.unwrap_or_default(),
        }
    }
}

/// The request as the service takes it. A client that sent no trace gets the one Lambda began.
pub fn request(request: lambda_http::Request, target: Target, context: &Context) -> Request {
    let (parts, body) = request.into_parts();
    let mut headers = plain_headers(&parts.headers);
    if !headers.iter().any(|(name, _)| name == "traceparent")
        && let Some(trace) = context.xray_trace_id.as_deref().and_then(traceparent)
    {
        headers.push(("traceparent".into(), trace));
    }
    // `HEAD` is `GET` whose body the gateway leaves out (RFC 9110 section 9.3.2).
    let method = match parts.method.as_str() {
        "HEAD" => "GET",
        method => method,
    };
    Request {
        method: method.to_owned(),
        path: target.path,
        query: target.query,
        headers,
        body: match body {
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
            _ => Vec::new(),
        },
    }
}

fn plain_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

/// The answer as the gateway takes it.
pub fn response(response: Response) -> HttpResponse<Body> {
    let body = match String::from_utf8(response.body) {
        Ok(text) if text.is_empty() => Body::Empty,
        Ok(text) => Body::Text(text),
        Err(bytes) => Body::Binary(bytes.into_bytes()),
    };
    let mut converted = HttpResponse::new(body);
    let status = StatusCode::from_u16(response.status);
    *converted.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        match HeaderValue::try_from(value) {
            Ok(value) => {
                let name = HeaderName::from_static(name);
                converted.headers_mut().append(name, value);
            }
            Err(_) => tracing::error!(name, "a header of an answer holds control characters"),
        }
    }
    converted
}
