//! A gateway for the functions of AWS: it turns HTTP requests into events of API Gateway.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use wm_core::http::Request;

use crate::{
    harness::Answer,
    surfaces::aws::{AwsSurface, event::Front},
};

/// Headers of a single connection, which are not forwarded (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [&str; 4] = ["connection", "keep-alive", "te", "transfer-encoding"];

pub(super) async fn serve(listener: TcpListener, surface: Arc<AwsSurface>) {
    while let Ok((stream, _)) = listener.accept().await {
        let surface = Arc::clone(&surface);
        let service = service_fn(move |request| {
            let surface = Arc::clone(&surface);
            async move { Ok::<_, Infallible>(answer(&surface, request).await) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(surface: &AwsSurface, request: hyper::Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return response(Answer {
            status: 400,
            ..Answer::default()
        });
    };
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), value.into_owned())
    });
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.filter(|(name, _)| !is_hop_by_hop(name)).collect(),
        body: body.to_bytes().to_vec(),
    };
    response(surface.send(Front::ApiGateway, &request).await)
}

fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        // The server sets the length itself.
        if !is_hop_by_hop(name) && name != "content-length" {
            response = response.header(name, value);
        }
    }
    response.body(Full::from(answer.body)).unwrap()
}
