//! Requests, answers and retries.

use std::{
    error::Error,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wm_client::{ApiError, BearerToken, Method, TokenError, TokenSource};
use wm_core::operation::ProblemKind;

use crate::scripted::{Scripted, answer, problem};

#[tokio::test]
async fn post_is_retried_under_one_key() {
    let server = Scripted::serve([
        problem("503 Service Unavailable", "unavailable", &[]),
        String::new(),
        answer("201 Created", &[], r#"{"id":7}"#),
    ]);
    let body = json!({ "name": "a" });
    let created: Value = server.client().post("/v1/accounts", &body).await.unwrap();
    assert_eq!(created["id"], 7);
    let received = server.received();
    assert_eq!(received.len(), 3);
    let key = received[0].header("idempotency-key").unwrap();
    assert_eq!(key.len(), 32);
    for request in &received {
        assert_eq!(request.line, "POST /v1/accounts HTTP/1.1");
        assert_eq!(request.header("idempotency-key"), Some(key));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), Some("Bearer t"));
        assert_eq!(request.body, br#"{"name":"a"}"#);
    }
}

#[tokio::test]
async fn post_sends_a_new_key_each_time() {
    let server = Scripted::serve([answer("200 OK", &[], "{}"), answer("200 OK", &[], "{}")]);
    let client = server.client();
    for _ in 0..2 {
        let _: Value = client.post("/v1/accounts", &json!({})).await.unwrap();
    }
    let received = server.received();
    let keys = [0, 1].map(|at: usize| received[at].header("idempotency-key").unwrap());
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn request_without_key_is_sent_once() {
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let refused = problem(
            "503 Service Unavailable",
            "unavailable",
            &["retry-after: 9"],
        );
        let server = Scripted::serve([refused]);
        let client = server.client();
        let request = client.request(method, "/v1/accounts");
        let error = request.send::<Value>().await.unwrap_err();
        let problem = error.problem().unwrap();
        assert_eq!(problem.retry_after, Some(Duration::from_secs(9)));
        assert_eq!(error.to_string(), "do this next");
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn get_waits_for_retry_after() {
    let server = Scripted::serve([
        problem("429 Too Many Requests", "rate-limited", &["retry-after: 1"]),
        answer("200 OK", &[], "[1]"),
    ]);
    let began = Instant::now();
    let read: Vec<u32> = server.client().get("/v1/session").await.unwrap();
    assert_eq!(read, [1]);
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn get_is_not_retried_after_a_refusal() {
    let server = Scripted::serve([problem(
        "404 Not Found",
        "not-found",
        &["x-request-id: req_1"],
    )]);
    let error = server.client().get::<Value>("/v1/x").await.unwrap_err();
    let problem = error.problem().unwrap();
    assert!(problem.is(ProblemKind::NotFound) && error.is_status(404));
    assert_eq!(problem.request_id.as_deref(), Some("req_1"));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn answer_keeps_its_headers() {
    let headers = ["etag: \"3\"", "location: /v1/x/1", "x-request-id: req_1"];
    let server = Scripted::serve([
        answer("200 OK", &headers, ""),
        answer("204 No Content", &[], ""),
    ]);
    let client = server.client();
    let request = client.request(Method::PATCH, "/v1/x?a=b").if_match("\"2\"");
    let answered = request.query("reason", "no & yes").send::<Value>().await;
    let answered = answered.unwrap();
    assert_eq!((answered.status, answered.body), (200, Value::Null));
    assert_eq!(answered.etag.as_deref(), Some("\"3\""));
    assert_eq!(answered.location.as_deref(), Some("/v1/x/1"));
    assert_eq!(answered.request_id.as_deref(), Some("req_1"));
    let deleted = client.request(Method::DELETE, "/v1/x").query("a", "b");
    let deleted = deleted.send::<()>().await.unwrap();
    assert_eq!((deleted.status, deleted.etag), (204, None));
    let received = server.received();
    assert_eq!(received[0].header("if-match"), Some("\"2\""));
    assert_eq!(
        received[0].line,
        "PATCH /v1/x?a=b&reason=no+%26+yes HTTP/1.1"
    );
    assert_eq!(received[1].line, "DELETE /v1/x?a=b HTTP/1.1");
}

#[tokio::test]
async fn answer_of_another_shape_is_an_error() {
    let server = Scripted::serve([answer("200 OK", &[], "<html>")]);
    let error = server.client().session(None).await.unwrap_err();
    assert!(matches!(error, ApiError::Unexpected(_)), "{error:?}");
}

/// A token source that numbers its tokens.
struct Counting(AtomicU32);

impl TokenSource for Counting {
    fn token(&self) -> Result<BearerToken, TokenError> {
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(BearerToken::new(format!("t{count}")))
    }
}

#[tokio::test]
async fn token_source_is_called_before_every_attempt() {
    let server = Scripted::serve([String::new(), answer("200 OK", &[], "1")]);
    let client = server.client_with(Counting(AtomicU32::new(0)));
    let _: u32 = client.get("/v1/x").await.unwrap();
    let received = server.received();
    assert_eq!(received[0].header("authorization"), Some("Bearer t0"));
    assert_eq!(received[1].header("authorization"), Some("Bearer t1"));
}

/// A token source without a token.
struct SignedOut;

impl TokenSource for SignedOut {
    fn token(&self) -> Result<BearerToken, TokenError> {
        Err("signed out".into())
    }
}

#[tokio::test]
async fn missing_token_is_a_separate_error() {
    let client = Scripted::serve([]).client_with(SignedOut);
    let error = client.get::<Value>("/v1/x").await.unwrap_err();
    assert!(matches!(error, ApiError::Token(_)), "{error:?}");
    assert_eq!(error.source().unwrap().to_string(), "signed out");
}

#[tokio::test]
async fn token_is_in_no_error_and_no_debug_output() {
    let server = Scripted::serve([]);
    // This token is not valid in a header.
    let client = server.client_with(BearerToken::new("very\nsecret"));
    let request = client.request(Method::POST, "/v1/x");
    let shown = format!("{client:?} {request:?}");
    let error = request.send::<Value>().await.unwrap_err();
    let shown = format!("{shown} {error:?} {error} {:?}", error.source());
    assert!(!shown.contains("secret"), "{shown}");
}
