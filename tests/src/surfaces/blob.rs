//! A surface in memory whose objects are in a Blob Storage, behind the adapter of the Azure
//! surface.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use wm_azure::{
    artifacts::BlobArtifacts,
    config::{Config, Role},
    sdk::Sdk,
};
use wm_core::{
    catalog,
    http::Request,
    operation::Surface,
    record::CloudEvent,
    selection::BackendSelection,
    storage::{ObjectPath, UploadLimits},
    value::{Env, SurfaceId, Timestamp, id::ulid_at},
};
use wm_service::{
    Service,
    clock::now,
    ports::{EntropyContext, Provider},
    sweeper::Sweeper,
    variables::Variables,
};

use super::publish;
use crate::{
    client::send_object,
    emulators::azurite::{ACCOUNT, AllRights, Azurite},
    harness::{Answer, Harness, ObjectRequest},
    issuer::TestIssuer,
    memory::{Memory, MemoryEvents, MemoryKeys, MemoryMail, MemoryRecords},
};

/// The URL of the issuer's keys.
const JWKS: &str = "memory:jwks";
pub const CONTAINER: &str = "workspace-documents";

/// A surface in memory, except for its objects.
#[derive(Debug)]
pub struct BlobAndMemory {
    memory: Memory,
    artifacts: BlobArtifacts,
}

impl Provider for BlobAndMemory {
    type Records = MemoryRecords;
    type Artifacts = BlobArtifacts;
    type Keys = MemoryKeys;
    type Events = MemoryEvents;
    type Mail = MemoryMail;

    fn records(&self) -> &MemoryRecords {
        &self.memory.records
    }

    fn artifacts(&self) -> &BlobArtifacts {
        &self.artifacts
    }

    fn keys(&self) -> &MemoryKeys {
        &self.memory.keys
    }

    fn events(&self) -> &MemoryEvents {
        &self.memory.events
    }

    fn mail(&self) -> &MemoryMail {
        &self.memory.mail
    }

    fn env(&self, context: EntropyContext<'_>) -> Env {
        self.memory.env(context)
    }

    fn now(&self) -> Timestamp {
        self.memory.now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The harness over it.
pub struct BlobSurface {
    pub azurite: Azurite,
    /// The identity of the adapter.
    pub identity: Arc<AllRights>,
    service: Arc<Service<BlobAndMemory>>,
    issuer: TestIssuer,
    client: Client,
}

/// The adapter over a store at this URL, built like the handler's, with this identity.
pub fn adapter(azurite: &Azurite, url: &str, identity: &Arc<AllRights>) -> BlobArtifacts {
    let sdk = Sdk::acting_as(identity.clone(), identity.clone(), azurite.client());
    BlobArtifacts::new(&sdk, &config(url)).unwrap()
}

/// A configuration with a store at this URL.
#[must_use]
pub fn config(storage: &str) -> Config {
    let given = [
        ("AZURE_COSMOS_ACCOUNT", "none"),
        ("AZURE_COSMOS_DATABASE", "none"),
        ("AZURE_COSMOS_CONTAINER", "none"),
        ("AZURE_STORAGE_ACCOUNT", ACCOUNT),
        ("AZURE_STORAGE_CONTAINER", CONTAINER),
        ("AZURE_STORAGE_ENDPOINT", storage),
        ("AZURE_ENTRA_ISSUER", "https://issuer.test"),
        ("AZURE_ENTRA_TENANT", "none"),
        ("AZURE_ENTRA_CLIENTS", "none"),
    ];
    let owned = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let variables: Variables = owned.into_iter().collect();
    Config::read(Role::Api, variables).unwrap()
}

impl BlobSurface {
    /// An empty surface over its own store, with the default limits.
    pub async fn start() -> Self {
        Self::with(UploadLimits::default(), now()).await
    }

    /// An empty surface with other limits and another time of its clock.
    pub async fn with(limits: UploadLimits, time: Timestamp) -> Self {
        let azurite = Azurite::start();
        azurite.container(CONTAINER).await;
        let url = azurite.url.clone();
        Self::over(azurite, &url, limits, time)
    }

    /// An empty surface whose store does not answer.
    #[must_use]
    pub fn without_store() -> Self {
        let nowhere = format!("https://127.0.0.1:1/{ACCOUNT}");
        Self::over(Azurite::start(), &nowhere, UploadLimits::default(), now())
    }

    fn over(azurite: Azurite, url: &str, limits: UploadLimits, time: Timestamp) -> Self {
        let memory = Memory::at(time);
        let issuer = TestIssuer::ec("https://issuer.test", "key-1");
        let jwks = issuer.jwks().to_string().into_bytes();
        memory.keys.0.lock().unwrap().insert(JWKS.into(), jwks);
        let surface = Surface {
            id: SurfaceId::first(ulid_at(memory.now(), &[1; 32])),
            secret: [9; 32],
            selection: BackendSelection::defaults(catalog::Provider::Azure),
            public_url: "http://surface.test".into(),
            upload: limits,
        };
        let identity = AllRights::new();
        let provider = BlobAndMemory {
            memory,
            artifacts: adapter(&azurite, url, &identity),
        };
        Self {
            service: Arc::new(Service::new(provider, surface, vec![issuer.rules(JWKS)])),
            issuer,
            client: azurite.client(),
            azurite,
            identity,
        }
    }

    pub fn artifacts(&self) -> &BlobArtifacts {
        &self.service.provider().artifacts
    }

    /// Processes the store's event about a new object.
    pub async fn ingest(&self, path: &ObjectPath) {
        self.service.ingest(path).await.unwrap();
    }

    fn memory(&self) -> &Memory {
        &self.service.provider().memory
    }
}

impl Harness for BlobSurface {
    fn name(&self) -> &'static str {
        "blob"
    }

    async fn call(&self, request: Request) -> Answer {
        self.service
            .handle(request.combined())
            .await
            .response
            .into()
    }

    async fn object(&self, request: ObjectRequest) -> Answer {
        send_object(&self.client, request).await
    }

    fn access_token(&self, email: &str) -> String {
        let claims = self.issuer.claims(email, "access", self.memory().now());
        self.issuer.sign(&claims)
    }

    fn id_token(&self, email: &str) -> String {
        let claims = self.issuer.claims(email, "id", self.memory().now());
        self.issuer.sign(&claims)
    }

    fn expired_token(&self, email: &str) -> String {
        let issued = self.memory().now().before(Duration::from_hours(2));
        self.issuer
            .sign(&self.issuer.claims(email, "access", issued))
    }

    /// Blob Storage checks no SHA-256 of stored bytes.
    fn known_limitations(&self) -> &[&str] {
        &["bind a digest"]
    }

    async fn drain(&self) {
        publish(&self.service).await;
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.memory().events.0.lock().unwrap().clone()
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        let mails = self.memory().mail.0.lock().unwrap();
        let of = mails.iter().filter(|mail| mail.to.as_str() == to);
        of.map(|mail| mail.text.clone()).collect()
    }

    async fn sweep(&self) {
        let sweeper = Sweeper::new(Arc::clone(&self.service), Duration::ZERO);
        sweeper.finish_jobs().await.unwrap();
        sweeper.collect_orphans().await.unwrap();
    }

    fn pass(&self, duration: Duration) -> Result<(), &'static str> {
        self.memory().pass(duration);
        Ok(())
    }
}
