//! Conversion between the requests and responses of hyper and those of the service.

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use tokio::time::timeout;
use warp::{
    Filter, Rejection,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONNECTION},
    path::FullPath,
    reply::Response as HttpResponse,
};
use wm_core::{
    http::{Request, Response},
    operation::{Problem, ProblemKind},
};

use wm_service::{EnvSource, ports::EntropyContext};

use crate::body::{Body, BodyError, body};

/// The time limit for the whole body of an API request.
const BODY_TIME: Duration = Duration::from_secs(60);

/// Answers every request with `handle`.
pub fn routes<H, F>(
    handle: H,
    env: Arc<EnvSource>,
) -> impl Filter<Extract = (HttpResponse,), Error = Rejection> + Clone
where
    H: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    warp::method()
        .and(warp::path::full())
        .and(raw_query())
        .and(warp::header::headers_cloned())
        .and(body())
        .then(move |method, path, query, headers, body| {
            let (handle, env) = (handle.clone(), Arc::clone(&env));
            async move {
                match read(method, path, query, headers, body).await {
                    Ok(request) => finish(handle(request), &env).await,
                    Err(error) => refuse_body(error, &env),
                }
            }
        })
}

/// The query as sent. Empty if there is none.
pub fn raw_query() -> impl Filter<Extract = (String,), Error = Infallible> + Copy {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}

async fn read(
    method: Method,
    path: FullPath,
    query: String,
    headers: HeaderMap,
    body: Body,
) -> Result<Request, BodyError> {
    let body = timeout(BODY_TIME, body.read(Request::BODY_LIMIT + 1)).await;
    Ok(Request {
        method: plain_method(&method).to_owned(),
        path: path.as_str().to_owned(),
        query,
        headers: plain_headers(&headers),
        body: body.unwrap_or(Err(BodyError::Stalled))?,
    }
    .combined())
}

/// Runs a request to its end, even if the client disconnects. Between the commit and the answer
/// there can be steps that would otherwise stay undone.
async fn finish(
    answer: impl Future<Output = Response> + Send + 'static,
    env: &EnvSource,
) -> HttpResponse {
    match tokio::spawn(answer).await {
        Ok(response) => convert(response),
        Err(error) => problem(&Problem::internal(error.to_string()), env),
    }
}

/// `HEAD` becomes `GET`, because the server omits the body of the answer (RFC 9110 section 9.3.2).
#[must_use]
pub fn plain_method(method: &Method) -> &str {
    if method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    }
}

/// The headers with names in lower case. Bytes that are not UTF-8 become replacement characters.
#[must_use]
pub fn plain_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

fn refuse_body(error: BodyError, env: &EnvSource) -> HttpResponse {
    let refused = Problem::new(ProblemKind::InvalidRequest, error.to_string());
    let mut response = problem(&refused, env);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// The answer to a problem that occurred outside the service.
#[must_use]
pub fn problem(problem: &Problem, env: &EnvSource) -> HttpResponse {
    if let Some(internal) = &problem.internal {
        tracing::error!(error = internal, "a request failed");
    }
    let request_id = env.env(EntropyContext::Ephemeral).id("request");
    convert(Response::from_problem(problem, request_id))
}

#[must_use]
pub fn convert(response: Response) -> HttpResponse {
    let mut converted = HttpResponse::new(response.body.into());
    let status = StatusCode::from_u16(response.status);
    *converted.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        match HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
            Ok(value) => {
                converted.headers_mut().append(name, value);
            }
            Err(_) => tracing::error!(name, "a response header contains control characters"),
        }
    }
    converted
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A panic ends one request only: it unwinds, and the answer is that of any other internal
    /// error.
    #[tokio::test]
    async fn panic_is_answered_as_a_problem() {
        let env = Arc::new(EnvSource::new([1; 32]));
        let answer = finish(async { std::panic::panic_any("an internal fault") }, &env).await;
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }

    #[test]
    fn invalid_response_header_is_left_out() {
        let answer = convert(Response {
            status: 201,
            headers: vec![("etag", "\"1\"".into()), ("x-bad", "a\nb".into())],
            body: b"{}".to_vec(),
        });
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["etag"], "\"1\"");
        assert!(!answer.headers().contains_key("x-bad"));
    }
}
