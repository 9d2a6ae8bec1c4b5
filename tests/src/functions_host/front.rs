//! The path between a client and the executable: the front end's headers, the host's routes, and
//! the proxy, which retries requests of any method that could not be sent.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri,
    body::{Frame, Incoming},
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use tokio::net::{TcpListener, TcpStream};

use super::{App, VERSION, Worker, guid};

/// The number of attempts to send a request, and the pauses between them.
const SENDS: usize = 10;
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(250));

/// The characters that are encoded again in a decoded path (RFC 3986 section 3.3).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

type Answered = Response<Full<Bytes>>;

pub(super) async fn serve(listener: TcpListener, app: Arc<App>, worker: Arc<Worker>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (app, worker) = (Arc::clone(&app), Arc::clone(&worker));
        let service = service_fn(move |request| {
            let (app, worker) = (Arc::clone(&app), Arc::clone(&worker));
            async move { Ok::<_, Infallible>(answer(&app, &worker, request).await) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(app: &App, worker: &Worker, request: Request<Incoming>) -> Answered {
    let target = request.uri().clone();
    let Some(path) = normal(target.path()) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    if path == "/" {
        // The host's own status page.
        return empty(StatusCode::NO_CONTENT);
    }
    if !app.serves(&path) {
        return empty(StatusCode::NOT_FOUND);
    }
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let (mut parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return empty(StatusCode::BAD_REQUEST);
    };
    let uri = match target.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    parts.uri = uri.parse().unwrap();
    outside(&mut parts.headers, &target);
    inside(&mut parts.headers);
    let request = Request::from_parts(parts, body.to_bytes());
    match forward(worker, request, chunked).await {
        Some(answered) => {
            worker.answered.fetch_add(1, Ordering::SeqCst);
            answered
        }
        None => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn empty(status: StatusCode) -> Answered {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// The path as Kestrel parses it and the proxy writes it: decoded except for `%2F`, without `.` and
/// `..`, and encoded where needed. `None` if Kestrel refuses it.
fn normal(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok());
        let escape = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape.filter(|byte| *first == b'%' && *byte != b'/') {
            Some(0) => return None,
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
    let mut segments: Vec<&[u8]> = Vec::new();
    let given: Vec<&[u8]> = bytes.split(|byte| *byte == b'/').skip(1).collect();
    for (place, segment) in given.iter().enumerate() {
        let is_last = place + 1 == given.len();
        match *segment {
            b"." | b".." => {
                if *segment == b".." {
                    segments.pop();
                }
                if is_last {
                    segments.push(b"");
                }
            }
            other => segments.push(other),
        }
    }
    let joined = segments.join(&b'/');
    Some(format!("/{}", percent_encode(&joined, PATH)))
}

/// The headers that App Service's front ends add. They append to a client's `X-Forwarded-For`.
fn outside(headers: &mut HeaderMap, target: &Uri) {
    let address = "203.0.113.7:51234";
    let forwarded = match headers.get("x-forwarded-for") {
        Some(own) => format!("{}, {address}", String::from_utf8_lossy(own.as_bytes())),
        None => address.to_owned(),
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default().to_owned();
    let (target, log_id) = (target.to_string(), guid());
    for (name, value) in [
        ("client-ip", address),
        ("disguised-host", &host),
        ("max-forwards", "10"),
        ("was-default-hostname", "workspace.azurewebsites.net"),
        ("x-appservice-proto", "https"),
        ("x-arr-log-id", &log_id),
        ("x-forwarded-for", &forwarded),
        ("x-forwarded-proto", "https"),
        ("x-original-url", &target),
        ("x-site-deployment-id", "workspace"),
        ("x-waws-unencoded-url", &target),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
}

/// The headers that the host adds to forwarded requests.
fn inside(headers: &mut HeaderMap) {
    let id = guid();
    for (name, value) in [
        ("x-ms-invocation-id", id.as_str()),
        ("x-azure-functions-invocationid", id.as_str()),
        ("x-azure-functions-hostversion", VERSION),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
}

/// Sends a request until it is answered. If the connection ends, the outcome is unknown and the
/// request is sent again.
async fn forward(worker: &Worker, request: Request<Bytes>, chunked: bool) -> Option<Answered> {
    let (mut pause, longest) = PAUSES;
    for attempt in 1..=SENDS {
        if let Ok(answered) = send(worker.port, &request, chunked).await {
            return Some(answered);
        }
        if attempt < SENDS {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }
    None
}

async fn send(
    port: u16,
    request: &Request<Bytes>,
    chunked: bool,
) -> Result<Answered, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = request.clone();
    let length = request.body().len();
    request.headers_mut().remove(TRANSFER_ENCODING);
    let has_length = request.headers_mut().remove(CONTENT_LENGTH).is_some();
    if has_length {
        request.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    let request = request.map(|body| {
        if chunked {
            let chunks: Vec<_> = body.chunks(8192).map(Bytes::copy_from_slice).collect();
            let chunks = chunks
                .into_iter()
                .map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)));
            Either::Right(StreamBody::new(futures_util::stream::iter(chunks)))
        } else {
            Either::Left(Full::new(body))
        }
    });
    let response = sender.send_request(request).await?;
    let (mut parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    parts.headers.remove(TRANSFER_ENCODING);
    parts.headers.remove("connection");
    connection.abort();
    Ok(Response::from_parts(parts, Full::new(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_normalised_like_kestrel() {
        for (given, read) in [
            ("/v1/session", "/v1/session"),
            ("/v1/a%2Fb", "/v1/a%2Fb"),
            ("/v1/%61%20b", "/v1/a%20b"),
            ("/v1/../openapi.json", "/openapi.json"),
            ("/v1/%2e%2e/%2e%2E/relay", "/relay"),
            ("/v1/./x/.", "/v1/x/"),
            ("/v1/%zz", "/v1/%zz"),
            ("/v1//x", "/v1//x"),
        ] {
            assert_eq!(normal(given).as_deref(), Some(read), "{given}");
        }
        assert_eq!(normal("/v1/%00"), None);
    }
}
