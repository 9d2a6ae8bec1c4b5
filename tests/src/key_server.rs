//! A key server on loopback, and a key source that requests it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Response, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use wm_service::ports::{KeySource, PortError, PortErrorKind};

/// How the server treats the next requests.
#[derive(Debug, Clone)]
pub enum Behaviour {
    Answer(Vec<u8>),
    Status(u16),
    Hang,
}

/// A key server that counts its requests.
#[derive(Debug, Clone)]
pub struct KeyServer {
    /// The URL of the key set.
    pub url: String,
    behaviour: Arc<Mutex<Behaviour>>,
    requests: Arc<AtomicUsize>,
}

impl KeyServer {
    pub async fn start(body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let server = Self {
            url,
            behaviour: Arc::new(Mutex::new(Behaviour::Answer(body))),
            requests: Arc::default(),
        };
        tokio::spawn(server.clone().serve(listener));
        server
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let server = self.clone();
            let service = service_fn(move |_| server.clone().answer());
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    }

    async fn answer(self) -> Result<Response<Full<Bytes>>, Infallible> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let behaviour = self.behaviour.lock().unwrap().clone();
        let response = |status: u16, body: Vec<u8>| {
            Response::builder()
                .status(status)
                .body(Full::from(body))
                .unwrap()
        };
        Ok(match behaviour {
            Behaviour::Answer(body) => response(200, body),
            Behaviour::Status(status) => response(status, Vec::new()),
            Behaviour::Hang => std::future::pending().await,
        })
    }

    /// Sets the behaviour from now on.
    pub fn set(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// The number of requests.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Fetches over plain HTTP with the limits of every key source.
#[derive(Debug, Clone, Copy)]
pub struct HttpKeys;

impl HttpKeys {
    /// The maximum size of a key set in bytes.
    pub const LIMIT: usize = 256 * 1024;

    async fn fetch_unbounded(
        url: &str,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let uri: hyper::Uri = url.parse()?;
        let address: SocketAddr = uri.authority().ok_or("no authority")?.as_str().parse()?;
        let stream = TokioIo::new(TcpStream::connect(address).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        let request = hyper::Request::get(uri.path()).body(Full::<Bytes>::default())?;
        let response = sender.send_request(request).await?;
        if response.status() != 200 {
            return Err("not answered with 200".into());
        }
        Ok(Limited::new(response.into_body(), Self::LIMIT)
            .collect()
            .await?
            .to_bytes()
            .to_vec())
    }
}

impl KeySource for HttpKeys {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, PortError> {
        // Shorter than the 5 s of a real surface, so that the test of a hanging server is fast.
        let fetched =
            tokio::time::timeout(Duration::from_millis(300), Self::fetch_unbounded(url)).await;
        let unavailable = |error| PortError::new(PortErrorKind::Unavailable, error);
        fetched
            .map_err(|error| unavailable(error.into()))?
            .map_err(unavailable)
    }
}
