//! The Runtime API (2018-06-01) of one instance.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Invocation, Outcome, Shared, Slot, lock, now};

/// The maximum size of an answer: 6 MB.
const ANSWER_LIMIT: usize = 6 * 1024 * 1024;

/// Serves an instance and its successors.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, slot: Arc<Slot>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, slot) = (Arc::clone(&shared), Arc::clone(&slot));
        let service = service_fn(move |request| {
            let (shared, slot) = (Arc::clone(&shared), Arc::clone(&slot));
            async move { Ok::<_, Infallible>(answer(&shared, &slot, request).await) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(
    shared: &Arc<Shared>,
    slot: &Arc<Slot>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else {
        return plain(404, "no such version");
    };
    match (method, path.split('/').collect::<Vec<_>>().as_slice()) {
        (Method::GET, ["invocation", "next"]) => next(shared, slot).await,
        (Method::POST, ["invocation", id, "response"]) => {
            let body = body(request).await;
            let taken = take(slot, id);
            let (Some(invocation), true) = (taken, body.len() <= ANSWER_LIMIT) else {
                return plain(413, "no such invocation, or too large an answer");
            };
            let outcome = serde_json::from_slice(&body).map_or_else(
                |_| Outcome::Failed(json!({ "errorType": "Runtime.MalformedResponse" })),
                Outcome::Answered,
            );
            let _ = invocation.reply.send(outcome);
            plain(202, r#"{"status":"OK"}"#)
        }
        (Method::POST, ["invocation", id, "error"]) => {
            let error = error(request).await;
            if let Some(invocation) = take(slot, id) {
                let _ = invocation.reply.send(Outcome::Failed(error));
            }
            plain(202, r#"{"status":"OK"}"#)
        }
        (Method::POST, ["init", "error"]) => {
            let error = error(request).await;
            lock(&shared.lines).push(format!("init error: {error}"));
            plain(202, r#"{"status":"OK"}"#)
        }
        (method, path) => plain(404, &format!("nothing at {method} {path:?}")),
    }
}

async fn next(shared: &Arc<Shared>, slot: &Arc<Slot>) -> Response<Full<Bytes>> {
    let mut ended = slot.ended.subscribe();
    *lock(&slot.started) = true;
    let invocation = tokio::select! {
        biased;
        _ = ended.changed() => return plain(410, "this instance has ended"),
        invocation = shared.next() => invocation,
    };
    let settings = &shared.settings;
    let deadline = now() + settings.timeout;
    let arn = format!(
        "arn:aws:lambda:us-east-1:000000000000:function:{}",
        settings.name
    );
    let response = Response::builder()
        .status(200)
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &invocation.id)
        .header(
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        )
        .header("lambda-runtime-invoked-function-arn", arn)
        .header("lambda-runtime-trace-id", &invocation.trace)
        .body(Full::from(invocation.event.clone()))
        .unwrap();
    let (watched, id, timeout) = (Arc::clone(slot), invocation.id.clone(), settings.timeout);
    let mut current = lock(&slot.current);
    if ended.has_changed().unwrap_or(true) {
        shared.put_back(invocation);
        return plain(410, "this instance has ended");
    }
    *current = Some(invocation);
    drop(current);
    tokio::spawn(async move {
        tokio::time::sleep(timeout).await;
        // Locked until the kill, so that the instance neither answers nor accepts work in between.
        let mut current = lock(&watched.current);
        if let Some(invocation) = current.take_if(|invocation| invocation.id == id) {
            watched.kill();
            let _ = invocation.reply.send(Outcome::TimedOut);
        }
    });
    response
}

/// Removes the current invocation if it has this id.
fn take(slot: &Slot, id: &str) -> Option<Invocation> {
    let mut current = lock(&slot.current);
    current.take_if(|invocation| invocation.id == id)
}

async fn body(request: Request<Incoming>) -> Bytes {
    let collected = request.into_body().collect().await;
    collected.map(|body| body.to_bytes()).unwrap_or_default()
}

async fn error(request: Request<Incoming>) -> Value {
    let body = body(request).await;
    serde_json::from_slice(&body)
        .unwrap_or_else(|_| json!({ "errorMessage": String::from_utf8_lossy(&body) }))
}

fn plain(status: u16, text: &str) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .body(Full::from(text.to_owned()))
        .unwrap()
}
