//! What all emulators are: a server on loopback that remembers what it was asked, and fails on demand.

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

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// A parameter of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Said {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// What stands in every answer that is an error: words of the service, which no caller may ever see.
pub const OWN_WORDS: &str = "the emulator's own words";

impl Said {
    /// This status and no body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// This status and this document.
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            headers: vec![("content-type", "application/json; charset=utf-8".into())],
            body: body.to_string().into_bytes(),
            ..Self::empty(status)
        }
    }

    /// An error as the services write them.
    pub fn error(status: u16, code: &str) -> Self {
        let error = json!({ "code": code, "message": OWN_WORDS });
        Self::json(status, &json!({ "error": error }))
    }

    /// With a header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What an emulator does with a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Answers as the service does.
    Well,
    /// Answers this, whatever it is asked.
    Says(Said),
    /// Does what it is asked, and answers this all the same.
    DoesAndSays(Said),
    /// Never answers.
    Hangs,
}

/// A server on loopback.
#[derive(Clone)]
pub struct Server {
    /// Where it is: scheme, host and port.
    pub origin: String,
    state: Arc<State>,
}

struct State {
    answer: Box<dyn Fn(&Asked) -> Said + Send + Sync>,
    asked: Mutex<Vec<Asked>>,
    usual: Mutex<Behaviour>,
    next: Mutex<VecDeque<Behaviour>>,
}

impl Server {
    /// A server over TLS, under the certificate of [`Authority`].
    ///
    /// # Panics
    /// When loopback has no port to give.
    pub async fn over_tls(answer: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
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

    /// A server without TLS.
    ///
    /// # Panics
    /// When loopback has no port to give.
    pub async fn plain(answer: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
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
        answer: impl Fn(&Asked) -> Said + Send + Sync + 'static,
    ) -> (TcpListener, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("{scheme}://{}", listener.local_addr().unwrap());
        let state = State {
            answer: Box::new(answer),
            asked: Mutex::default(),
            usual: Mutex::new(Behaviour::Well),
            next: Mutex::default(),
        };
        let state = Arc::new(state);
        (listener, Self { origin, state })
    }

    /// Everything it was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    /// Does this from now on.
    pub fn always(&self, behaviour: Behaviour) {
        *self.state.usual.lock().unwrap() = behaviour;
    }

    /// Does this with the next requests, one after the other, before it does what it does always.
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
        // Clients go when they like.
        let _ = connection.await;
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let asked = read(request).await?;
        self.asked.lock().unwrap().push(asked.clone());
        let next = self.next.lock().unwrap().pop_front();
        let behaviour = next.unwrap_or_else(|| self.usual.lock().unwrap().clone());
        let said = match behaviour {
            Behaviour::Well => (self.answer)(&asked),
            Behaviour::Says(said) => said,
            Behaviour::DoesAndSays(said) => {
                (self.answer)(&asked);
                said
            }
            Behaviour::Hangs => match std::future::pending::<Infallible>().await {},
        };
        let mut response = Response::builder().status(said.status);
        for (name, value) in said.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::from(said.body)).unwrap())
    }
}

async fn read(request: Request<Incoming>) -> Result<Asked, hyper::Error> {
    let (head, body) = request.into_parts();
    let text = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    };
    Ok(Asked {
        method: head.method.to_string(),
        target: head.uri.path_and_query().unwrap().to_string(),
        headers: head.headers.iter().map(text).collect(),
        body: body.collect().await?.to_bytes(),
    })
}
