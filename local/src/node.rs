//! A node that serves one data directory.
//!
//! [`Node::start`] and [`Node::shutdown`] combine the functions and types of this module: [`bind`],
//! [`Parts`], [`Background`] and [`serve`]. Other programs can combine them with their own ports.

mod background;
mod error;
mod parts;
mod surface;
mod sweep;

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tokio::{
    sync::{mpsc::UnboundedSender, oneshot},
    task::JoinHandle,
};
use wm_core::storage::ObjectPath;
use wm_http::Server;
use wm_service::{Service, ports::Provider};

pub use self::{
    background::Background,
    error::StartError,
    parts::Parts,
    surface::{Local, NotifyingRecords},
    sweep::NodeSweeper,
};
use crate::{
    config::Config,
    http::{Files, Site, TIMEOUTS},
};

/// A running node. Dropping it stops it without waiting. [`Node::shutdown`] waits.
#[derive(Debug)]
pub struct Node {
    address: SocketAddr,
    public_url: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Node {
    /// Starts a node on the current runtime. When this returns, the node answers requests.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        // Binding comes first: an address in use is the most frequent error, and the data directory
        // stays untouched.
        let server = bind(config.listen).await?;
        let address = server.address();
        let public_url = public_url(&config, address);
        // This blocks, but no request is served before it ends.
        let parts = Parts::open(config, public_url.clone())?;
        let service = parts.service(parts.ports()?);
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // The node was dropped or shut down.
            let _ = stopped.await;
        };
        Ok(Self {
            address,
            public_url,
            stop,
            running: tokio::spawn(run(server, parts, service, stopped)),
        })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the node for its users, without a trailing slash.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Stops the node within 5 seconds. It accepts no more requests, lets requests in flight
    /// finish, publishes committed entries and closes the data directory.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        let _ = self.running.await;
    }
}

/// Serves until `stop` resolves. Then ends everything in order: requests, the publishing of their
/// entries, the database.
async fn run<P: Provider>(
    server: Server,
    parts: Parts,
    service: Arc<Service<P>>,
    stop: impl Future<Output = ()> + Send,
) {
    let background = Background::start(&parts, &service);
    serve(server, &parts, &service, background.arrivals(), stop).await;
    background.shutdown().await;
    parts.close(service).await;
}

/// Binds the listen address of a node. Port 0 selects a free port.
///
/// # Errors
/// [`StartError::AddressTaken`] or [`StartError::Listen`].
pub async fn bind(address: SocketAddr) -> Result<Server, StartError> {
    Server::bind(address).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            StartError::AddressTaken { address, source }
        } else {
            StartError::Listen { address, source }
        }
    })
}

/// The URL of a node that is bound to this address: the configured URL, or else the address.
#[must_use]
pub fn public_url(config: &Config, address: SocketAddr) -> String {
    config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{}", reachable(address)))
}

/// An address to which clients can connect. For a node that listens on all interfaces it is the
/// loopback address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Answers requests until `stop` resolves. Requests in flight may then finish until the drain
/// timeout. Reports each uploaded object to `arrivals`.
pub async fn serve<P: Provider>(
    server: Server,
    parts: &Parts,
    service: &Arc<Service<P>>,
    arrivals: UnboundedSender<ObjectPath>,
    stop: impl Future<Output = ()> + Send,
) {
    let service = Arc::clone(service);
    let site = Site {
        handle: move |request| {
            let service = Arc::clone(&service);
            async move { service.handle(request).await.response }
        },
        files: Files {
            store: Arc::clone(&parts.store),
            signer: parts.signer.clone(),
            created: arrivals,
            env: Arc::clone(&parts.env),
        },
        issuer: Arc::clone(&parts.issuer),
        env: Arc::clone(&parts.env),
    };
    let routes = site.routes(server.address());
    server.serve(&routes, TIMEOUTS, stop).await;
}
