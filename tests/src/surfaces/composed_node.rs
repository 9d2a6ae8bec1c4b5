//! A node composed of the same components as `wm serve`, over ports that a test chooses.

use std::net::SocketAddr;

use tokio::{sync::oneshot, task::JoinHandle};
use wm_local::{
    config::Config,
    node::{Drains, Local, NodeSweeper, Parts, StartError, bind, public_url},
};
use wm_service::ports::Provider;

/// A running node that can be drained and swept on demand. Dropping it stops it without waiting.
pub struct ComposedNode<P> {
    address: SocketAddr,
    public_url: String,
    drains: Drains,
    sweeper: NodeSweeper<P>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl<P: Provider> ComposedNode<P> {
    /// Starts a node over the local ports, wrapped by `instrument`.
    ///
    /// # Errors
    ///
    /// Like a deployed node.
    pub async fn start(
        config: Config,
        instrument: impl FnOnce(Local) -> P,
    ) -> Result<Self, StartError> {
        let server = bind(config.listen).await?;
        let address = server.address();
        let public_url = public_url(&config, address);
        let parts = Parts::open(config, public_url.clone(), instrument)?;
        let background = parts.background();
        let (drains, sweeper) = (background.drains(), parts.sweeper());
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        Ok(Self {
            address,
            public_url,
            drains,
            sweeper,
            stop,
            running: tokio::spawn(parts.run(server, background, stopped)),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The public URL, without a trailing slash.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Completes every arrived upload, publishes all committed changes and sends their mails.
    pub async fn drain(&self) {
        self.drains.drain().await;
    }

    /// Sweeps now.
    pub async fn sweep(&self) {
        self.sweeper.run().await;
    }

    /// Stops like a deployed node.
    pub async fn shutdown(self) {
        // Both use the service, and the database closes only when the service has no users.
        drop((self.drains, self.sweeper));
        let _ = self.stop.send(());
        self.running.await.unwrap();
    }
}
