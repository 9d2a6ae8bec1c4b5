//! The control server of a surface: tokens, mails, events.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use wm_core::value::Email;

use super::Open;

/// The answer to any other request.
const ROUTES: &str = "POST /token {\"email\": …}, GET /mail?to=…, GET /events";

pub(super) async fn serve<S: Open>(listener: TcpListener, surface: Arc<S>) {
    while let Ok((stream, _)) = listener.accept().await {
        let surface = Arc::clone(&surface);
        let service = service_fn(move |request| {
            let surface = Arc::clone(&surface);
            async move { Ok::<_, Infallible>(respond(&*surface, request).await) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn respond<S: Open>(surface: &S, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match answer(surface, request).await {
        Ok(body) => (200, body),
        Err((status, error)) => (status, json!({ "error": error })),
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::from(format!("{body}\n")))
        .unwrap()
}

async fn answer<S: Open>(surface: &S, request: Request<Incoming>) -> Result<Value, (u16, String)> {
    let uri = request.uri().clone();
    match (request.method(), uri.path()) {
        (&Method::POST, "/token") => {
            let email = email_of(request).await?;
            Ok(json!(surface.tokens(&email).await))
        }
        (&Method::GET, "/mail") => {
            let to = parameter(uri.query().unwrap_or_default(), "to")?;
            Ok(json!({ "mails": surface.mails(&to).await }))
        }
        (&Method::GET, "/events") => Ok(json!({ "events": surface.events().await })),
        _ => Err((404, format!("there is {ROUTES}"))),
    }
}

async fn email_of(request: Request<Incoming>) -> Result<Email, (u16, String)> {
    let bad = |error: String| (400, error);
    let body = request.into_body().collect().await;
    let body = body.map_err(|error| bad(error.to_string()))?.to_bytes();
    let body: Value = serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?;
    let email = body["email"].as_str();
    parse(email.ok_or_else(|| bad("the body has no `email`".into()))?)
}

fn parameter(query: &str, wanted: &str) -> Result<Email, (u16, String)> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let found = parameters.find(|(name, _)| name == wanted);
    let (_, value) = found.ok_or_else(|| (400, format!("the query has no `{wanted}`")))?;
    parse(&value)
}

fn parse(email: &str) -> Result<Email, (u16, String)> {
    let parsed = email.parse();
    parsed.map_err(|_| (400, format!("`{email}` is no e-mail address")))
}
