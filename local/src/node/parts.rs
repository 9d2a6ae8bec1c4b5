//! The parts of a node, except its server.

use std::{future::Future, path::PathBuf, sync::Arc};

use tokio::{
    sync::{Notify, mpsc::UnboundedSender},
    time::sleep,
};
use wm_core::{catalog, operation::Surface, selection::BackendSelection, storage::ObjectPath};
use wm_http::Server;
use wm_service::{
    EnvSource, Service,
    ports::{Ports, Provider},
};

use super::{Background, Local, StartError, surface::NotifyingRecords, sweep::NodeSweeper};
use crate::{
    artifacts::{LocalArtifacts, ObjectStore, Signer},
    config::Config,
    data_directory::{DataDirectory, Layout},
    events::EventLog,
    http::{Files, Site, TIMEOUTS},
    identity::Issuer,
    mail::Maildir,
    secrets::random_bytes,
};

/// An open data directory, the ports over it and the service over the ports.
///
/// [`Node`](super::Node) runs over the ports of [`Local`]. The ports are a parameter for tests
/// only, which run the same node over instrumented ports: with faults, a clock and entropy of their
/// own. There is no other seam for them.
pub struct Parts<P> {
    pub store: Arc<ObjectStore>,
    /// Signs and verifies URLs of objects.
    pub signer: Signer,
    pub service: Arc<Service<P>>,
    pub(super) directory: Arc<DataDirectory>,
    pub(super) committed: Arc<Notify>,
    issuer: Arc<Issuer>,
    env: Arc<EnvSource>,
}

impl<P: Provider> Parts<P> {
    /// Opens the data directory of a node with this public URL. `ports` may wrap the local ports.
    /// Blocks.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(
        config: Config,
        public_url: String,
        ports: impl FnOnce(Local) -> P,
    ) -> Result<Self, StartError> {
        let directory = Arc::new(DataDirectory::open(config.data)?);
        let layout = &directory.layout;
        let store = ObjectStore::open(layout).map_err(unusable(layout.objects()))?;
        let store = Arc::new(store);
        let signer = Signer::new(directory.secret.as_bytes());
        let issuer = Issuer::open(&layout.issuer_key())?;
        let seed = random_bytes().map_err(StartError::Random)?;
        let env = Arc::new(EnvSource::new(seed));
        let committed = Arc::default();
        let surface = Surface {
            id: directory.surface,
            secret: *directory.secret.as_bytes(),
            selection: selection(layout)?,
            public_url: public_url.clone(),
            upload: config.upload,
        };
        let local = Ports {
            records: NotifyingRecords {
                directory: Arc::clone(&directory),
                committed: Arc::clone(&committed),
            },
            artifacts: LocalArtifacts::new(Arc::clone(&store), signer.clone(), public_url),
            keys: issuer.clone(),
            events: EventLog::open(&layout.events()).map_err(unusable(layout.events()))?,
            mail: Maildir::open(layout).map_err(unusable(layout.mail()))?,
            env: Arc::clone(&env),
            sleep,
        };
        let issuers = vec![Issuer::rules()];
        Ok(Self {
            store,
            signer,
            service: Arc::new(Service::new(ports(local), surface, issuers)),
            directory,
            committed,
            issuer: Arc::new(issuer),
            env,
        })
    }

    /// Refuses data that a newer program wrote.
    ///
    /// # Errors
    /// [`StartError::Layout`].
    pub async fn check_layout(&self) -> Result<(), StartError> {
        let known = self.service.known_layout().await;
        known.map(drop).map_err(|problem| {
            StartError::Layout(problem.internal.unwrap_or(problem.detail.into()))
        })
    }

    /// A sweeper at the start of its first orphan collection.
    #[must_use]
    pub fn sweeper(&self) -> NodeSweeper<P> {
        NodeSweeper::new(self)
    }

    /// Starts the background tasks on the current runtime.
    #[must_use]
    pub fn background(&self) -> Background {
        Background::start(self)
    }

    /// Serves until `stop` resolves. Then ends everything in order: requests, the publishing of
    /// their entries, the database.
    pub async fn run(
        self,
        server: Server,
        background: Background,
        stop: impl Future<Output = ()> + Send,
    ) {
        self.serve(server, background.arrivals(), stop).await;
        background.shutdown().await;
        self.close().await;
    }

    /// Answers requests until `stop` resolves. Requests in flight may then finish until the drain
    /// timeout. Reports each uploaded object to `arrivals`.
    async fn serve(
        &self,
        server: Server,
        arrivals: UnboundedSender<ObjectPath>,
        stop: impl Future<Output = ()> + Send,
    ) {
        let service = Arc::clone(&self.service);
        let site = Site {
            handle: move |request| {
                let service = Arc::clone(&service);
                async move { service.handle(request).await.response }
            },
            files: Files {
                store: Arc::clone(&self.store),
                signer: self.signer.clone(),
                created: arrivals,
                env: Arc::clone(&self.env),
            },
            issuer: Arc::clone(&self.issuer),
            env: Arc::clone(&self.env),
        };
        let routes = site.routes(server.address());
        server.serve(&routes, TIMEOUTS, stop).await;
    }

    /// Closes the database, if the service has no other users, and waits for the writer. A request
    /// that was cut off keeps the database open until the request ends.
    async fn close(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

fn unusable(path: PathBuf) -> impl FnOnce(std::io::Error) -> StartError {
    move |source| StartError::File { path, source }
}

/// The backend selection for `GET /v1/backend`: the paths that this node uses.
fn selection(layout: &Layout) -> Result<BackendSelection, StartError> {
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    BackendSelection::defaults(catalog::Provider::Local)
        .with("storage.directory", &path(layout.objects()))
        .and_then(|selection| selection.with("database.file", &path(layout.database())))
        .map_err(|error| StartError::Path(error.message))
}
