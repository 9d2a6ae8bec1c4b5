//! Events for the functions, from samples of real services.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use wm_core::http::Request;

use crate::{harness::Answer, repository};

/// A sample of `tests/events`.
#[must_use]
pub fn sample(name: &str) -> Value {
    let path = repository::root().join(format!("tests/events/{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The front of the function that answers requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// An HTTP API of API Gateway, payload format 2.0.
    ApiGateway,
    FunctionUrl,
    /// An Application Load Balancer with multi-value headers.
    LoadBalancer,
}

impl Front {
    #[must_use]
    pub fn event(self, request: &Request) -> Value {
        match self {
            Self::ApiGateway => version_2("api-gateway", request, &decoded(&request.path)),
            Self::FunctionUrl => version_2("function-url", request, &request.path),
            Self::LoadBalancer => load_balancer(request),
        }
    }

    /// The client's answer for an answer of the function.
    #[must_use]
    pub fn answer(self, answer: &Value) -> Answer {
        let mut headers = Vec::new();
        for (name, value) in members(&answer["headers"]) {
            headers.push((name.to_lowercase(), text(value)));
        }
        for (name, values) in members(&answer["multiValueHeaders"]) {
            headers.retain(|(known, _)| *known != name.to_lowercase());
            for value in values.as_array().unwrap() {
                headers.push((name.to_lowercase(), text(value)));
            }
        }
        for cookie in answer["cookies"].as_array().into_iter().flatten() {
            headers.push(("set-cookie".into(), text(cookie)));
        }
        let body = answer["body"].as_str().unwrap_or_default();
        let encoded = answer["isBase64Encoded"] == true;
        let status = answer["statusCode"].as_u64();
        Answer {
            status: u16::try_from(status.expect("a status")).unwrap(),
            headers,
            body: if encoded {
                BASE64_STANDARD.decode(body).unwrap()
            } else {
                body.as_bytes().to_vec()
            },
        }
    }

    /// The client's answer if the function fails or its instance dies.
    #[must_use]
    pub fn failure(self) -> Answer {
        let (status, text) = match self {
            Self::ApiGateway => (500, r#"{"message":"Internal Server Error"}"#),
            Self::FunctionUrl => (502, "Internal Server Error"),
            Self::LoadBalancer => (502, "Bad Gateway"),
        };
        Answer {
            status,
            headers: Vec::new(),
            body: text.into(),
        }
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// An HTTP API decodes the path, except for `%25`, and cuts it at an encoded `?`.
/// <https://github.com/hotsock/voker/pull/8> shows captured requests.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok());
        let escape = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape.filter(|byte| *first == b'%' && *byte != b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let decoded = String::from_utf8_lossy(&bytes);
    decoded.split('?').next().unwrap_or_default().to_owned()
}

fn version_2(name: &str, request: &Request, path: &str) -> Value {
    let mut event = sample(name);
    let headers = event["headers"].as_object_mut().unwrap();
    let mut cookies = Vec::new();
    for (name, value) in &request.headers {
        if name == "cookie" {
            cookies.extend(value.split("; ").map(Value::from));
            continue;
        }
        match headers.get_mut(name) {
            Some(Value::String(known)) if request_has_several(request, name) => {
                known.push(',');
                known.push_str(value);
            }
            _ => drop(headers.insert(name.clone(), value.as_str().into())),
        }
    }
    headers.insert(
        "content-length".into(),
        request.body.len().to_string().into(),
    );
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    event["rawPath"] = path.into();
    event["rawQueryString"] = request.query.as_str().into();
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(request.query.as_bytes()) {
        parameters.insert(name.into(), value.into());
    }
    if !parameters.is_empty() {
        event["queryStringParameters"] = parameters.into();
    }
    event["requestContext"]["http"]["method"] = request.method.as_str().into();
    event["requestContext"]["http"]["path"] = path.into();
    insert_body(&mut event, request);
    event
}

fn request_has_several(request: &Request, name: &str) -> bool {
    request
        .headers
        .iter()
        .filter(|(known, _)| known == name)
        .count()
        > 1
}

/// Bodies of text types are passed as text, all others in base64.
fn insert_body(event: &mut Value, request: &Request) {
    if request.body.is_empty() {
        return;
    }
    let media_type = request.header("content-type").unwrap_or_default();
    let is_text = media_type.starts_with("text/") || media_type.starts_with("application/json");
    match str::from_utf8(&request.body) {
        Ok(text) if is_text => event["body"] = text.into(),
        _ => {
            event["body"] = BASE64_STANDARD.encode(&request.body).into();
            event["isBase64Encoded"] = true.into();
        }
    }
}

fn load_balancer(request: &Request) -> Value {
    let mut event = sample("load-balancer");
    event["httpMethod"] = request.method.as_str().into();
    event["path"] = request.path.as_str().into();
    for (name, value) in &request.headers {
        let values = &mut event["multiValueHeaders"][name];
        match values.as_array_mut() {
            Some(values) if request_has_several(request, name) => {
                values.push(value.as_str().into())
            }
            _ => *values = json!([value]),
        }
    }
    // A load balancer keeps the client's encoding of names and values.
    for pair in request.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let values = &mut event["multiValueQueryStringParameters"][name];
        match values.as_array_mut() {
            Some(values) => values.push(value.into()),
            None => *values = json!([value]),
        }
    }
    insert_body(&mut event, request);
    event
}

/// The S3 event about a stored object.
#[must_use]
pub fn object_created(bucket: &str, key: &str) -> Value {
    let mut event = sample("object-created");
    event["resources"] = json!([format!("arn:aws:s3:::{bucket}")]);
    event["detail"]["bucket"]["name"] = bucket.into();
    event["detail"]["object"]["key"] = key.into();
    event
}
