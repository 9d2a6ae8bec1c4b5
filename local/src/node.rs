//! A node: one data directory, served.
//!
//! [`Node::start`] and [`Node::shutdown`] compose the blocks of this module: [`bind`], [`Parts`],
//! [`Background`] and [`serve`]. Another program may compose them around ports of its own.

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

/// A running node. Dropping it stops it without waiting; [`Node::shutdown`] waits.
#[derive(Debug)]
pub struct Node {
    address: SocketAddr,
    public_url: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Node {
    /// Starts a node on the present runtime. It answers once this returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        // First, because a taken address is what goes wrong most often and nothing is made for it.
        let server = bind(config.listen).await?;
        let address = server.address();
        let public_url = public_url(&config, address);
        // Blocks, but nothing is answered before it is done anyway.
        let parts = Parts::open(config, public_url.clone())?;
        let service = parts.service(parts.ports()?);
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // The node was dropped, or told to stop.
            let _ = stopped.await;
        };
        Ok(Self {
            address,
            public_url,
            stop,
            running: tokio::spawn(run(server, parts, service, stopped)),
        })
    }

    /// The address it is bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where people reach it, without a trailing slash.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Stops within 5 seconds: accepts nothing more, lets what has begun finish, publishes what was
    /// committed, and closes the data directory.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        let _ = self.running.await;
    }
}

/// Serves until `stop` resolves, then ends everything in order: requests, what they left to publish,
/// the database.
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

/// Binds the address that a node answers at; port 0 takes a free one.
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

/// The URL of a node that is bound to this address: the configured one, or the address itself.
#[must_use]
pub fn public_url(config: &Config, address: SocketAddr) -> String {
    config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{}", reachable(address)))
}

/// An address clients can connect to: a node that listens everywhere is reachable at the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Answers requests until `stop` resolves, and then those that have begun for as long as a node waits
/// for its clients. Reports each uploaded object to `arrivals`.
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
