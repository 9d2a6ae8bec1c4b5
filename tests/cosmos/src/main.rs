//! The Cosmos DB emulator of the official SDK as a service on loopback. An unmodified client
//! reaches it over HTTP. It verifies the token of every request and fails on demand, which the
//! SDK's emulator does not.
//!
//! `cosmos --keys KEYS.json [--consistency Strong|Session]` prints `cosmos answers at
//! http://127.0.0.1:PORT/` once it is ready. It reads the key set again when a token names an
//! unknown key.

mod control;
mod emulator;
mod faults;
mod token;

use std::{error::Error, future::Future, path::PathBuf, sync::Arc, time::Duration};

use azure_core::http::{Method, Url};
use azure_data_cosmos_driver::in_memory_emulator::ConsistencyLevel;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::json;
use tokio::net::TcpListener;

use control::Journal;
use emulator::Emulator;
use faults::{Fault, Faults, Kind, Operation};
use token::Verifier;

/// The service accepts 2 MB per request. Larger bodies are read as well, so that they are refused
/// and not cut off.
const BODY_LIMIT: usize = 8 << 20;

/// An answer. Without one, the connection is closed.
type Answered = Result<Response<Full<Bytes>>, NoAnswer>;

#[derive(Debug)]
struct NoAnswer;

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection is dropped on request")
    }
}

impl Error for NoAnswer {}

struct Service {
    emulator: Emulator,
    verifier: Verifier,
    faults: Faults,
    journal: Journal,
}

struct Arguments {
    keys: PathBuf,
    consistency: ConsistencyLevel,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut keys = None;
    let mut consistency = ConsistencyLevel::Strong;
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let value = given.next().ok_or("every flag has a value")?;
        match (flag.as_str(), value.as_str()) {
            ("--keys", file) => keys = Some(file.into()),
            ("--consistency", "Strong") => consistency = ConsistencyLevel::Strong,
            ("--consistency", "Session") => consistency = ConsistencyLevel::Session,
            _ => return Err(format!("`{flag} {value}` is not known").into()),
        }
    }
    let keys = keys.ok_or("`--keys KEYS.json` is missing")?;
    Ok(Arguments { keys, consistency })
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { keys, consistency } = arguments()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url: Url = format!("http://{}/", listener.local_addr()?).parse()?;
    let service = Arc::new(Service {
        emulator: Emulator::new(url.clone(), consistency)?,
        verifier: Verifier::new(keys),
        faults: Faults::default(),
        journal: Journal::default(),
    });
    println!("cosmos answers at {url}");
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            let answering = service_fn(move |request| answer(Arc::clone(&service), request));
            // The client sees the errors of its connection. The SDK begins with HTTP/2, which the
            // service supports.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), answering)
                .await;
        });
    }
}

async fn answer(service: Arc<Service>, request: Request<Incoming>) -> Answered {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return Ok(refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            "too large",
        ));
    };
    let body = body.to_bytes();
    if let Some(path) = head.uri.path().strip_prefix("/_control/") {
        let path = path.to_owned();
        return Ok(control::answer(&service, &head.method, &path, &body).await);
    }
    let operation = Operation::of(&head);
    let fault = service.faults.take(operation, head.uri.path());
    let path = head.uri.path().to_owned();
    let answered = with_fault(fault, || data(&service, &head, body)).await;
    service
        .journal
        .note(&head.method, &path, operation, answered.as_ref().ok());
    answered
}

/// Processes a request as its fault allows.
async fn with_fault<F>(fault: Option<Fault>, carry_out: impl FnOnce() -> F) -> Answered
where
    F: Future<Output = Response<Full<Bytes>>>,
{
    let Some(fault) = fault else {
        return Ok(carry_out().await);
    };
    match fault.kind {
        Kind::Delay => {
            tokio::time::sleep(Duration::from_millis(fault.milliseconds)).await;
            Ok(carry_out().await)
        }
        Kind::Status => Ok(fault.answer()),
        Kind::StatusAfter => {
            carry_out().await;
            Ok(fault.answer())
        }
        Kind::Drop => Err(NoAnswer),
        Kind::DropAfter => {
            carry_out().await;
            Err(NoAnswer)
        }
    }
}

/// Answers a request without a fault.
async fn data(
    service: &Service,
    head: &hyper::http::request::Parts,
    body: Bytes,
) -> Response<Full<Bytes>> {
    for header in ["x-ms-date", "x-ms-version"] {
        if !head.headers.contains_key(header) {
            let message = format!("the header `{header}` is missing");
            return refusal(StatusCode::BAD_REQUEST, "BadRequest", &message);
        }
    }
    if let Err(reason) = service.verifier.verify(&head.headers) {
        return refusal(StatusCode::UNAUTHORIZED, "Unauthorized", &reason);
    }
    let Ok(method) = head.method.as_str().parse::<Method>() else {
        return refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "no such method",
        );
    };
    service
        .emulator
        .carry_out(method, &head.uri, &head.headers, body)
        .await
}

/// An error in the format of the service.
fn refusal(status: StatusCode, code: &str, message: &str) -> Response<Full<Bytes>> {
    let mut response = json_response(status, &json!({ "code": code, "message": message }));
    let charge = hyper::header::HeaderValue::from_static("0");
    response.headers_mut().insert("x-ms-request-charge", charge);
    response
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, kind);
    response
}
