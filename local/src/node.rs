//! A node: one data directory, served.

mod background;
mod surface;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use background::Settling;
pub use surface::{AnnouncedRecords, Local};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use wm_core::{catalog, operation::Surface, selection::BackendSelection};
use wm_http::Server;
use wm_service::{EnvSource, Service, ports::Provider};

use crate::{
    artifacts::{LocalArtifacts, ObjectStore, Signer},
    config::Config,
    data_directory::{DataDirectory, Layout, OpenError},
    events::EventLog,
    http::{Files, PATIENCE, Site},
    identity::{Issuer, IssuerError},
    mail::Maildir,
    secrets::random_bytes,
};

/// How long a stopping node goes on publishing once the last request is answered.
const LAST_RELAY: Duration = Duration::from_millis(800);

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else listens there.
    #[error(
        "`{address}` is in use by another program: stop that one, or choose another address, such as `--listen 127.0.0.1:0`"
    )]
    AddressTaken {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// This machine cannot listen there.
    #[error("cannot listen on `{address}`: choose an address of this machine with `--listen`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// See [`OpenError`].
    #[error(transparent)]
    Data(#[from] OpenError),
    /// See [`IssuerError`].
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// Something in the data directory refuses.
    #[error("cannot use `{}`: see that this user may read and write it", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path of the data directory cannot stand in a configuration.
    #[error("the path of the data directory cannot be used: {0}; choose another with `--data`")]
    Path(String),
    /// The system gives no randomness.
    #[error("the system gives no randomness: try again")]
    Random(#[source] io::Error),
}

/// A running node. Dropping it stops it without waiting; [`Node::shutdown`] waits.
#[derive(Debug)]
pub struct Node {
    address: SocketAddr,
    public_url: String,
    stop: oneshot::Sender<()>,
    behind: Behind,
    running: JoinHandle<()>,
}

impl Node {
    /// Starts a node on the present runtime. It answers once this returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_over(config, |surface| surface).await
    }

    /// The same over what the program makes of the surface. `wm serve` takes it as it is; a program that
    /// proves something puts its own clock, or its own faults, around the ports.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_over<P: Provider>(
        config: Config,
        surface: impl FnOnce(Local) -> P,
    ) -> Result<Self, StartError> {
        // First, because a taken address is what goes wrong most often and nothing is made for it.
        let server = bind(config.listen).await?;
        let address = server.address();
        let public_url = config
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", reachable(address)));
        // Blocks, but nothing is answered before it is done anyway.
        let parts = Parts::open(config, public_url.clone(), surface)?;
        let (stop, stopped) = oneshot::channel();
        let (completing, complete) = mpsc::channel(1);
        let (publishing, publish) = mpsc::channel(1);
        let (sweeping, sweep) = mpsc::channel(1);
        let behind = Behind {
            completing,
            publishing,
            sweeping,
        };
        let settling = [complete, publish, sweep];
        let running = tokio::spawn(run(server, parts, settling, stopped));
        Ok(Self {
            address,
            public_url,
            stop,
            behind,
            running,
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

    /// Returns once every upload that arrived by now is completed, and everything that was committed is
    /// published and mailed, as far as that works at present. For programs that prove something: nobody else
    /// has to wait.
    pub async fn settled(&self) {
        ask(&self.behind.completing).await;
        ask(&self.behind.publishing).await;
    }

    /// Sweeps now, which otherwise happens once a minute: what was interrupted is finished, what expired is
    /// closed. For the same programs.
    pub async fn sweep(&self) {
        ask(&self.behind.sweeping).await;
    }

    /// Stops within 5 seconds: accepts nothing more, lets what has begun finish, publishes what was
    /// committed, and closes the data directory.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        let _ = self.running.await;
    }
}

/// What a node does beside answering, each of which can be asked to say when it is done.
#[derive(Debug)]
struct Behind {
    completing: mpsc::Sender<oneshot::Sender<()>>,
    publishing: mpsc::Sender<oneshot::Sender<()>>,
    sweeping: mpsc::Sender<oneshot::Sender<()>>,
}

/// Waits until a part of the node says that it has done what there was to do. One that has stopped has.
async fn ask(part: &mpsc::Sender<oneshot::Sender<()>>) {
    let (done, told) = oneshot::channel();
    if part.send(done).await.is_ok() {
        let _ = told.await;
    }
}

async fn bind(address: SocketAddr) -> Result<Server, StartError> {
    Server::bind(address).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            StartError::AddressTaken { address, source }
        } else {
            StartError::Listen { address, source }
        }
    })
}

/// An address clients can connect to: whoever listens everywhere is at least here.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Everything behind the server.
pub struct Parts<P> {
    /// What answers requests.
    pub service: Arc<Service<P>>,
    /// The files.
    pub store: Arc<ObjectStore>,
    /// What signs their addresses.
    pub signer: Signer,
    directory: Arc<DataDirectory>,
    committed: Arc<Notify>,
    issuer: Arc<Issuer>,
    env: Arc<EnvSource>,
}

impl<P: Provider> Parts<P> {
    /// Opens the data directory.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(
        config: Config,
        public_url: String,
        equip: impl FnOnce(Local) -> P,
    ) -> Result<Self, StartError> {
        let directory = Arc::new(DataDirectory::open(config.data)?);
        let layout = directory.layout.clone();
        let file = |path: PathBuf| move |source| StartError::File { path, source };
        let store = ObjectStore::open(&layout).map_err(file(layout.objects()))?;
        let store = Arc::new(store);
        let signer = Signer::new(directory.secret.as_bytes());
        let issuer = Arc::new(Issuer::open(&layout.issuer_key())?);
        let env = Arc::new(EnvSource::new(random_bytes().map_err(StartError::Random)?));
        let surface = Surface {
            id: directory.surface,
            secret: *directory.secret.as_bytes(),
            selection: selection(&layout)?,
            public_url: public_url.clone(),
            upload: config.upload,
        };
        let committed = Arc::new(Notify::new());
        let local = Local {
            artifacts: LocalArtifacts::new(Arc::clone(&store), signer.clone(), public_url),
            issuer: Arc::clone(&issuer),
            events: EventLog::open(&layout.events()).map_err(file(layout.events()))?,
            mail: Maildir::open(&layout).map_err(file(layout.mail()))?,
            env: Arc::clone(&env),
            records: AnnouncedRecords {
                directory: Arc::clone(&directory),
                committed: Arc::clone(&committed),
            },
        };
        Ok(Self {
            service: Arc::new(Service::new(equip(local), surface, vec![Issuer::rules()])),
            directory,
            committed,
            store,
            signer,
            issuer,
            env,
        })
    }
}

/// What `GET /v1/backend` shows: where this node keeps things.
fn selection(layout: &Layout) -> Result<BackendSelection, StartError> {
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    BackendSelection::defaults(catalog::Provider::Local)
        .with("storage.directory", &path(layout.objects()))
        .and_then(|selection| selection.with("database.file", &path(layout.database())))
        .map_err(|error| StartError::Path(error.message))
}

/// Serves until told to stop, then ends everything in order: requests, what they left to publish,
/// the database.
async fn run<P: Provider>(
    server: Server,
    parts: Parts<P>,
    [completing, publishing, sweeping]: [Settling; 3],
    stopped: oneshot::Receiver<()>,
) {
    let (created, arrived) = mpsc::unbounded_channel();
    let (stop, stopping) = watch::channel(false);
    let service = parts.service;
    let mut tasks = JoinSet::new();
    tasks.spawn(background::relay(
        Arc::clone(&service),
        parts.committed,
        publishing,
        stopping.clone(),
    ));
    tasks.spawn(background::sweep(
        Arc::clone(&service),
        Arc::clone(&parts.directory),
        sweeping,
        stopping,
    ));
    tasks.spawn(background::ingest(
        Arc::clone(&service),
        arrived,
        completing,
    ));
    let handling = Arc::clone(&service);
    let site = Site {
        handle: move |request| {
            let service = Arc::clone(&handling);
            async move { service.handle(request).await.response }
        },
        files: Files {
            store: parts.store,
            signer: parts.signer,
            created,
            env: Arc::clone(&parts.env),
        },
        issuer: parts.issuer,
        env: parts.env,
    };
    let routes = site.routes(server.address());
    server
        .serve(&routes, PATIENCE, async {
            // The node was dropped, or told to stop.
            let _ = stopped.await;
        })
        .await;
    let _ = stop.send(true);
    let _ = timeout(LAST_RELAY, async {
        while tasks.join_next().await.is_some() {}
    })
    .await;
    tasks.shutdown().await;
    // Closing the database waits for its writer. A request that was cut off may keep it open until it
    // ends by itself.
    let _ = tokio::task::spawn_blocking(move || drop((service, parts.directory))).await;
}
