//! All ports of a node without its server: the local surface with a recording database.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use wm_core::{http::Request, operation::TokenUsage, record::CloudEvent};
use wm_local::{
    artifacts::FILES,
    clock::now,
    config::Config,
    node::{Local, Parts},
};
use wm_service::sweeper::Sweeper;

use super::{node::NodeData, publish};
use crate::{
    faults::{RecordingProvider, RecordingRecords},
    harness::{Answer, Harness, ObjectRequest},
};

/// The URL of its files.
const ADDRESS: &str = "http://node.test";

/// The harness over these ports.
pub struct RecordingLocal {
    parts: Parts<RecordingProvider<Local>>,
    stored: NodeData,
    _home: TempDir,
}

impl Default for RecordingLocal {
    fn default() -> Self {
        Self::new()
    }
}

impl RecordingLocal {
    /// An empty surface in its own directory.
    pub fn new() -> Self {
        Self::over(tempfile::tempdir().unwrap())
    }

    /// A surface over this directory.
    pub fn over(home: TempDir) -> Self {
        let config = Config {
            data: home.path().to_owned(),
            ..Config::default()
        };
        Self {
            parts: Parts::open(config, ADDRESS.into(), RecordingProvider::new).unwrap(),
            stored: NodeData::open(home.path()),
            _home: home,
        }
    }

    /// The recording database.
    pub fn records(&self) -> &RecordingRecords {
        &self.parts.service.provider().records
    }
}

impl Harness for RecordingLocal {
    fn name(&self) -> &'static str {
        "local, recorded"
    }

    async fn call(&self, request: Request) -> Answer {
        self.parts
            .service
            .handle(request.combined())
            .await
            .response
            .into()
    }

    /// Only uploads in one request, which are all that is counted here.
    async fn object(&self, request: ObjectRequest) -> Answer {
        let target = request.url.strip_prefix(ADDRESS).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        let path = path.strip_prefix(FILES).unwrap();
        let address = self.parts.signer.read(&request.method, path, query, now());
        let path = address.unwrap().path;
        let mut incoming = self.parts.store.begin().unwrap();
        incoming.write(&request.body).unwrap();
        self.parts.store.publish(incoming, &path).unwrap();
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

    async fn drain(&self) {
        publish(&self.parts.service).await;
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.stored.events()
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        self.stored.mails(to)
    }

    async fn sweep(&self) {
        let sweeper = Sweeper::new(Arc::clone(&self.parts.service), Duration::ZERO);
        sweeper.finish_jobs().await.unwrap();
    }

    fn pass(&self, _: Duration) -> Result<(), &'static str> {
        Err("its clock cannot be set")
    }
}
