//! Requests of API Gateway, function URLs and load balancers, and their answers.

use lambda_http::{
    Body, Context,
    http::{HeaderMap, HeaderName, HeaderValue, Response as HttpResponse, StatusCode},
    request::LambdaRequest,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use wm_core::http::{Request, Response};

use crate::telemetry::traceparent;

/// Bytes that a path must encode (RFC 3986 section 3.3). `%` stays, because it is part of the
/// client's own encoding.
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

/// The path and query as the client sent them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    path: String,
    query: String,
}

impl Target {
    /// Takes path and query out of an event. The library would parse them as a URL, which resolves
    /// `..` and panics for invalid URLs. The route table accepts raw paths and refuses unknown
    /// ones.
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
                // A load balancer passes names and values still encoded.
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

/// The request for the service. Without a trace of the client, it gets the trace of Lambda.
pub fn request(request: lambda_http::Request, target: Target, context: &Context) -> Request {
    let (parts, body) = request.into_parts();
    let mut headers = plain_headers(&parts.headers);
    if !headers.iter().any(|(name, _)| name == "traceparent")
        && let Some(trace) = context.xray_trace_id.as_deref().and_then(traceparent)
    {
        headers.push(("traceparent".into(), trace));
    }
    // `HEAD` becomes `GET`, because the gateway omits the body of the answer (RFC 9110 section
    // 9.3.2).
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
    .combined()
}

fn plain_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

/// The answer for the gateway.
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
            Err(_) => tracing::error!(name, "a response header contains control characters"),
        }
    }
    converted
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The request that the service receives for an event.
    fn received(event: Value) -> Request {
        let mut event: LambdaRequest = serde_json::from_value(event).unwrap();
        let target = Target::take(&mut event);
        request(event.into(), target, &Context::default())
    }

    fn gateway(path: &str, query: &str, headers: Value) -> Request {
        received(json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "api",
                "domainName": "not a name",
                "domainPrefix": "api",
                "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "::1", "userAgent": "" },
                "requestId": "1",
                "stage": "$default",
                "time": "12/Mar/2026:19:03:58 +0000",
                "timeEpoch": 0,
            },
            "isBase64Encoded": false,
        }))
    }

    #[test]
    fn path_and_query_arrive_as_sent() {
        for (path, query) in [
            ("/v1/session", ""),
            ("/v1/../openapi.json", "cursor=a%2Fb&limit=2&limit=3"),
            ("/v1/%2e%2e/session", "a=%zz"),
            ("", "="),
        ] {
            let request = gateway(path, query, json!({}));
            assert_eq!(
                (request.path.as_str(), request.query.as_str()),
                (path, query)
            );
        }
    }

    #[test]
    fn invalid_url_causes_no_panic() {
        for path in ["/a b\u{0}<>\"\\^`{|}#?ü\u{fffd}", "//", "http://x/", "\\\\"] {
            let request = gateway(
                path,
                "a b|",
                json!({ "host": "no host [", "x-forwarded-proto": ":" }),
            );
            let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>?\\^`{|}".contains(&byte);
            assert!(request.path.bytes().all(plain), "{}", request.path);
        }
    }

    #[test]
    fn load_balancer_parameters_stay_encoded() {
        let event = json!({
            "requestContext": { "elb": { "targetGroupArn": "arn" } },
            "httpMethod": "HEAD",
            "path": "/v1/session",
            "multiValueQueryStringParameters": { "name": ["a%20b"] },
            "multiValueHeaders": { "authorization": ["Bearer x"] },
            "body": "eA==",
            "isBase64Encoded": true,
        });
        let request = received(event);
        assert_eq!(
            (request.method.as_str(), request.query.as_str()),
            ("GET", "name=a%20b")
        );
        assert_eq!(request.header("authorization"), Some("Bearer x"));
        assert_eq!(request.body, b"x");
    }

    #[test]
    fn trace_of_the_client_takes_precedence() {
        let event = || gateway("/", "", json!({ "traceparent": "own" }));
        assert_eq!(event().header("traceparent"), Some("own"));
    }

    #[test]
    fn answers_with_any_bytes_are_forwarded() {
        let answer = |body: &[u8]| {
            let response = Response {
                status: 201,
                headers: vec![("etag", "\"1\"".into()), ("x-bad", "a\nb".into())],
                body: body.to_vec(),
            };
            super::response(response)
        };
        let answered = answer(b"{}");
        assert_eq!(answered.status(), 201);
        assert_eq!(answered.headers()["etag"], "\"1\"");
        assert!(!answered.headers().contains_key("x-bad"));
        assert!(matches!(answered.body(), Body::Text(text) if text == "{}"));
        assert!(matches!(answer(&[0xff]).body(), Body::Binary(_)));
        assert!(matches!(answer(b"").body(), Body::Empty));
    }
}
