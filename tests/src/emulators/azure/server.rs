//! The common part of all emulators: a server on loopback that records its requests and fails on
//! demand.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

use super::authority::Authority;

/// A received request.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// The headers. Names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// A decoded parameter of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The body as JSON, or null.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// A phrase in every error answer of an emulator. No answer of the API may contain it.
pub const OWN_WORDS: &str = "the emulator's own words";

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// An answer with a JSON document.
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            headers: vec![("content-type", "application/json; charset=utf-8".into())],
            body: body.to_string().into_bytes(),
            ..Self::empty(status)
        }
    }

    /// An error in the format of the services.
    pub fn error(status: u16, code: &str) -> Self {
        let error = json!({ "code": code, "message": OWN_WORDS });
        Self::json(status, &json!({ "error": error }))
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// How an emulator treats a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Answers as the service does.
    Normal,
    /// Gives this answer to any request.
    Answers(Reply),
    /// Processes the request and gives this answer.
    ProcessesAndAnswers(Reply),
    Hang,
}

#[derive(Clone)]
pub struct Server {
    /// Scheme, host and port.
    pub origin: String,
    state: Arc<State>,
}

struct State {
    answer: Box<dyn Fn(&Received) -> Reply + Send + Sync>,
    received: Mutex<Vec<Received>>,
    usual: Mutex<Behaviour>,
    next: Mutex<VecDeque<Behaviour>>,
}

impl Server {
    /// A server over TLS, with the certificate of [`Authority`].
    pub async fn over_tls(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let (listener, server) = Self::listen("https", answer).await;
        let acceptor = Authority::shared().acceptor();
        let state = server.state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), state.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        state.serve(stream).await;
                    }
                });
            }
        });
        server
    }

    pub async fn plain(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let (listener, server) = Self::listen("http", answer).await;
        let state = server.state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(state.clone().serve(stream));
            }
        });
        server
    }

    async fn listen(
        scheme: &str,
        answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> (TcpListener, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("{scheme}://{}", listener.local_addr().unwrap());
        let state = State {
            answer: Box::new(answer),
            received: Mutex::default(),
            usual: Mutex::new(Behaviour::Normal),
            next: Mutex::default(),
        };
        let state = Arc::new(state);
        (listener, Self { origin, state })
    }

    /// All received requests.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Sets the behaviour from now on.
    pub fn always(&self, behaviour: Behaviour) {
        *self.state.usual.lock().unwrap() = behaviour;
    }

    /// Sets the behaviour for the next requests, in order, before the permanent one applies again.
    pub fn next(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.state.next.lock().unwrap().extend(behaviours);
    }
}

impl State {
    async fn serve<S>(self: Arc<Self>, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request| self.clone().answer(request));
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        // Clients may disconnect at any time.
        let _ = connection.await;
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let received = read(request).await?;
        self.received.lock().unwrap().push(received.clone());
        let next = self.next.lock().unwrap().pop_front();
        let behaviour = next.unwrap_or_else(|| self.usual.lock().unwrap().clone());
        let reply = match behaviour {
            Behaviour::Normal => (self.answer)(&received),
            Behaviour::Answers(reply) => reply,
            Behaviour::ProcessesAndAnswers(reply) => {
                (self.answer)(&received);
                reply
            }
            Behaviour::Hang => match std::future::pending::<Infallible>().await {},
        };
        let mut response = Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::from(reply.body)).unwrap())
    }
}

async fn read(request: Request<Incoming>) -> Result<Received, hyper::Error> {
    let (head, body) = request.into_parts();
    let text = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    };
    Ok(Received {
        method: head.method.to_string(),
        target: head.uri.path_and_query().unwrap().to_string(),
        headers: head.headers.iter().map(text).collect(),
        body: body.collect().await?.to_bytes(),
    })
}
