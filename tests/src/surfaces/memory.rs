//! The surface in memory: the service itself, without a protocol around it.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use wm_core::{
    catalog::Provider,
    http::Request,
    operation::Surface,
    record::{CloudEvent, Layout},
    selection::BackendSelection,
    storage::UploadLimits,
    value::{SurfaceId, Timestamp},
};
use wm_service::{Service, sweeper::Sweeper};

use super::publish;
use crate::{
    faults::RecordingProvider,
    harness::{Answer, Harness, ObjectRequest, Signing},
    issuer::TestIssuer,
    memory::Memory,
};

/// The URL of the issuer's keys.
const JWKS: &str = "memory:jwks";

/// The harness over a surface in memory with a recording database.
pub struct MemorySurface {
    pub service: Arc<Service<RecordingProvider<Memory>>>,
    /// The issuer of its tokens.
    pub issuer: TestIssuer,
}

impl Default for MemorySurface {
    fn default() -> Self {
        Self::new()
    }
}

impl MemorySurface {
    /// An empty surface at a fixed time.
    pub fn new() -> Self {
        let memory = Memory::at(Timestamp::from_millis(1_800_000_000_000));
        let issuer = TestIssuer::ec("https://issuer.test", "key-1");
        memory
            .keys
            .0
            .lock()
            .unwrap()
            .insert(JWKS.into(), issuer.jwks().to_string().into_bytes());
        let surface = Surface {
            id: SurfaceId::first(wm_core::value::id::ulid_at(memory.now(), &[1; 32])),
            secret: [9; 32],
            selection: BackendSelection::defaults(Provider::Local),
            public_url: "http://surface.test".into(),
            upload: UploadLimits::default(),
        };
        let issuers = vec![issuer.rules(JWKS)];
        let service = Service::new(RecordingProvider::new(memory), surface, issuers);
        Self {
            // Every surface reads the layout at its start.
            service: Arc::new(service.with_layout(Some(Layout::default()))),
            issuer,
        }
    }

    /// The surface in a new process, which knows nothing of what the old one read.
    ///
    /// # Panics
    /// While something else uses the old process.
    pub fn restarted(self) -> Self {
        let service = Arc::into_inner(self.service).expect("the old process is in use");
        Self {
            service: Arc::new(service.with_layout(None)),
            issuer: self.issuer,
        }
    }

    /// The ports below the recording ones.
    pub fn memory(&self) -> &Memory {
        &self.service.provider().inner
    }

    fn token(&self, email: &str, usage: &str) -> String {
        self.issuer
            .sign(&self.issuer.claims(email, usage, self.memory().now()))
    }
}

impl Signing for MemorySurface {
    fn issuer(&self) -> &TestIssuer {
        &self.issuer
    }

    async fn signed_at(
        &self,
        _: &Value,
        _: usize,
        _: Timestamp,
    ) -> Result<ObjectRequest, &'static str> {
        Err("its addresses are not signed")
    }
}

impl Harness for MemorySurface {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn call(&self, request: Request) -> Answer {
        self.service
            .handle(request.combined())
            .await
            .response
            .into()
    }

    async fn object(&self, request: ObjectRequest) -> Answer {
        self.memory().artifacts.answer(&request)
    }

    fn access_token(&self, email: &str) -> String {
        self.token(email, "access")
    }

    fn expired_token(&self, email: &str) -> String {
        let issued = self.memory().now().millis() - 2 * 60 * 60 * 1000;
        let claims = self
            .issuer
            .claims(email, "access", Timestamp::from_millis(issued));
        self.issuer.sign(&claims)
    }

    /// Its URLs are not signed: they name an object and its required content.
    fn known_limitations(&self) -> &[&str] {
        &[
            "bind a media type",
            "sign addresses",
            "expire addresses",
            "serve as attachment",
        ]
    }

    fn id_token(&self, email: &str) -> String {
        self.token(email, "id")
    }

    async fn drain(&self) {
        publish(&self.service).await;
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.memory().events.0.lock().unwrap().clone()
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        let mails = self.memory().mail.0.lock().unwrap();
        mails
            .iter()
            .filter(|mail| mail.to.as_str() == to)
            .map(|mail| mail.text.clone())
            .collect()
    }

    async fn sweep(&self) {
        let sweeper = Sweeper::new(Arc::clone(&self.service), Duration::ZERO);
        sweeper.finish_jobs().await.unwrap();
        while sweeper.walk(|| true).await {}
        sweeper.collect_orphans().await.unwrap();
    }

    fn pass(&self, duration: Duration) -> Result<(), &'static str> {
        self.memory().pass(duration);
        Ok(())
    }
}
