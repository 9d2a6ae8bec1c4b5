//! The parts of a node, except its server.

use std::{path::PathBuf, sync::Arc};

use tokio::{sync::Notify, time::sleep};
use wm_core::{catalog, operation::Surface, selection::BackendSelection};
use wm_service::{
    EnvSource, Service,
    ports::{Ports, Provider},
};

use super::{Local, NotifyingRecords, StartError};
use crate::{
    artifacts::{LocalArtifacts, ObjectStore, Signer},
    config::Config,
    data_directory::{DataDirectory, Layout},
    events::EventLog,
    identity::Issuer,
    mail::Maildir,
    secrets::random_bytes,
};

/// An open data directory, and everything over it except the service.
pub struct Parts {
    pub store: Arc<ObjectStore>,
    /// Signs and verifies URLs of objects.
    pub signer: Signer,
    pub(super) directory: Arc<DataDirectory>,
    pub(super) committed: Arc<Notify>,
    pub(super) issuer: Arc<Issuer>,
    pub(super) env: Arc<EnvSource>,
    surface: Surface,
}

impl Parts {
    /// Opens the data directory of a node with this public URL. Blocks.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(config: Config, public_url: String) -> Result<Self, StartError> {
        let directory = Arc::new(DataDirectory::open(config.data)?);
        let layout = &directory.layout;
        let store = ObjectStore::open(layout).map_err(unusable(layout.objects()))?;
        let issuer = Issuer::open(&layout.issuer_key())?;
        let seed = random_bytes().map_err(StartError::Random)?;
        let surface = Surface {
            id: directory.surface,
            secret: *directory.secret.as_bytes(),
            selection: selection(layout)?,
            public_url,
            upload: config.upload,
        };
        Ok(Self {
            store: Arc::new(store),
            signer: Signer::new(directory.secret.as_bytes()),
            directory,
            committed: Arc::default(),
            issuer: Arc::new(issuer),
            env: Arc::new(EnvSource::new(seed)),
            surface,
        })
    }

    /// The ports over the data directory.
    ///
    /// # Errors
    /// If the event log or the maildir cannot be used.
    pub fn ports(&self) -> Result<Local, StartError> {
        let layout = &self.directory.layout;
        let public_url = self.surface.public_url.clone();
        Ok(Ports {
            artifacts: LocalArtifacts::new(
                Arc::clone(&self.store),
                self.signer.clone(),
                public_url,
            ),
            keys: Issuer::clone(&self.issuer),
            events: EventLog::open(&layout.events()).map_err(unusable(layout.events()))?,
            mail: Maildir::open(layout).map_err(unusable(layout.mail()))?,
            env: Arc::clone(&self.env),
            sleep,
            records: NotifyingRecords {
                directory: Arc::clone(&self.directory),
                committed: Arc::clone(&self.committed),
            },
        })
    }

    #[must_use]
    pub fn service<P: Provider>(&self, ports: P) -> Arc<Service<P>> {
        let issuers = vec![Issuer::rules()];
        Arc::new(Service::new(ports, self.surface.clone(), issuers))
    }

    /// Closes the database of a service that has no other users, and waits for the writer. A
    /// request that was cut off keeps the database open until the request ends.
    pub async fn close<P: Provider>(self, service: Arc<Service<P>>) {
        let _ = tokio::task::spawn_blocking(move || drop((service, self))).await;
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
