//! A node composed of the same components as `wm serve`, over ports that a test chooses.

use std::{net::SocketAddr, sync::Arc};

use tokio::{sync::oneshot, task::JoinHandle};
use wm_local::{
    config::Config,
    node::{Background, Local, NodeSweeper, Parts, StartError, bind, public_url, serve},
};
use wm_service::{Service, ports::Provider};

/// A running node that can be drained and swept on demand. Dropping it stops it without waiting.
pub struct ComposedNode<P> {
    address: SocketAddr,
    public_url: String,
    service: Arc<Service<P>>,
    background: Background,
    sweeper: NodeSweeper<P>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Parts>,
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
        let parts = Parts::open(config, public_url.clone())?;
        let service = parts.service(instrument(parts.ports()?));
        let background = Background::start(&parts, &service);
        let sweeper = NodeSweeper::new(&parts, &service);
        let (stop, stopped) = oneshot::channel::<()>();
        let (serving, arrivals) = (Arc::clone(&service), background.arrivals());
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            serve(server, &parts, &serving, arrivals, stopped).await;
            parts
        });
        Ok(Self {
            address,
            public_url,
            service,
            background,
            sweeper,
            stop,
            serving,
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
        self.background.drain().await;
    }

    /// Sweeps now.
    pub async fn sweep(&self) {
        self.sweeper.run().await;
    }

    /// Stops like a deployed node.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        let parts = self.serving.await.unwrap();
        self.background.shutdown().await;
        drop(self.sweeper);
        parts.close(self.service).await;
    }
}
