//! What a node is made of, but for its server: every port of the local surface, the database watched.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use wm_core::{
    api::Request, catalog, cloud_event::CloudEvent, context::Surface, env::Env, facts::TokenUsage,
    selection::BackendSelection, use_case::UploadLimits, value::Timestamp,
};
use wm_local::{
    artifacts::{FILES, LocalArtifacts, ObjectStore, Signer},
    clock::now,
    data_directory::DataDirectory,
    events::EventLog,
    identity::Issuer,
    mail::Maildir,
    records::SqliteRecords,
    secrets::random_bytes,
};
use wm_service::{
    EnvSource, Service,
    ports::{Occasion, Provider},
};

use super::node::NodeData;
use crate::{
    faults::{Watched, WatchedRecords},
    harness::{Answer, Harness, ObjectRequest},
};

/// Where its files would be served.
const ADDRESS: &str = "http://node.test";

/// Every port over one data directory.
pub struct Ports {
    directory: DataDirectory,
    artifacts: LocalArtifacts,
    issuer: Issuer,
    events: EventLog,
    mail: Maildir,
    env: EnvSource,
}

impl Provider for Ports {
    type Records = SqliteRecords;
    type Artifacts = LocalArtifacts;
    type Keys = Issuer;
    type Events = EventLog;
    type Mail = Maildir;

    fn records(&self) -> &SqliteRecords {
        &self.directory.records
    }

    fn artifacts(&self) -> &LocalArtifacts {
        &self.artifacts
    }

    fn keys(&self) -> &Issuer {
        &self.issuer
    }

    fn events(&self) -> &EventLog {
        &self.events
    }

    fn mail(&self) -> &Maildir {
        &self.mail
    }

    fn env(&self, _: Occasion<'_>) -> Env {
        self.env.env()
    }

    fn now(&self) -> Timestamp {
        now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The harness over them.
pub struct WatchedLocal {
    service: Service<Watched<Ports>>,
    store: Arc<ObjectStore>,
    signer: Signer,
    stored: NodeData,
    _home: TempDir,
}

impl Default for WatchedLocal {
    fn default() -> Self {
        Self::new()
    }
}

impl WatchedLocal {
    /// An empty surface in a directory of its own.
    ///
    /// # Panics
    /// When the directory cannot be used.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(home.path()).unwrap();
        let layout = directory.layout.clone();
        let store = Arc::new(ObjectStore::open(&layout).unwrap());
        let signer = Signer::new(directory.secret.as_bytes());
        let surface = Surface {
            id: directory.surface,
            secret: *directory.secret.as_bytes(),
            selection: BackendSelection::defaults(catalog::Provider::Local),
            public_url: ADDRESS.into(),
            upload: UploadLimits::default(),
        };
        let ports = Ports {
            artifacts: LocalArtifacts::new(store.clone(), signer.clone(), ADDRESS.into()),
            issuer: Issuer::open(&layout.issuer_key()).unwrap(),
            events: EventLog::open(&layout.events()).unwrap(),
            mail: Maildir::open(&layout).unwrap(),
            env: EnvSource::new(random_bytes().unwrap()),
            directory,
        };
        Self {
            service: Service::new(Watched::new(ports), surface, vec![Issuer::rules()]),
            store,
            signer,
            stored: NodeData::open(home.path()),
            _home: home,
        }
    }

    /// What its database was asked.
    pub fn records(&self) -> &WatchedRecords {
        &self.service.provider().records
    }
}

impl Harness for WatchedLocal {
    fn name(&self) -> &'static str {
        "local, watched"
    }

    async fn call(&self, request: Request) -> Answer {
        let response = self.service.handle(request.combined()).await;
        let headers = response.headers.into_iter();
        Answer {
            status: response.status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: response.body,
        }
    }

    /// Uploads in one piece: they are all that is counted here.
    async fn object(&self, request: ObjectRequest) -> Answer {
        let target = request.url.strip_prefix(ADDRESS).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        let path = path.strip_prefix(FILES).unwrap();
        let address = self.signer.read(&request.method, path, query, now());
        let path = address.unwrap().path;
        let mut incoming = self.store.begin().unwrap();
        incoming.write(&request.body).unwrap();
        self.store.publish(incoming, &path).unwrap();
        Answer {
            status: 201,
            ..Answer::default()
        }
    }

    fn access_token(&self, email: &str) -> String {
        self.stored.token(email, TokenUsage::Access, now())
    }

    fn id_token(&self, email: &str) -> String {
        self.stored.token(email, TokenUsage::Id, now())
    }

    fn expired_token(&self, email: &str) -> String {
        self.stored.expired_token(email)
    }

    async fn settle(&self) {
        let deliver = |event| async move { self.service.notify(&event).await };
        while self.service.relay(deliver).await.unwrap().published > 0 {}
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.stored.events()
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        self.stored.mails(to)
    }

    async fn sweep(&self) {
        self.service.sweep().await.unwrap();
    }

    fn pass(&self, _: Duration) -> Result<(), &'static str> {
        Err("its clock is the machine's")
    }
}
