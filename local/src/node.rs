//! A node that serves one data directory.
//!
//! [`Node::start`] and [`Node::shutdown`] combine the functions and types of this module: [`bind`],
//! [`Parts`] and [`Background`].

mod background;
mod error;
mod parts;
mod surface;
mod sweep;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::{sync::oneshot, task::JoinHandle};
use wm_http::Server;

pub use self::{
    background::{Background, Drains},
    error::StartError,
    parts::Parts,
    surface::{Local, NotifyingRecords},
    sweep::NodeSweeper,
};
use crate::config::Config;

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
        let parts = Parts::open(config, public_url.clone(), |local| local)?;
        parts.check_layout().await?;
        let background = parts.background();
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // The node was dropped or shut down.
            let _ = stopped.await;
        };
        Ok(Self {
            address,
            public_url,
            stop,
            running: tokio::spawn(parts.run(server, background, stopped)),
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
