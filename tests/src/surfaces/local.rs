//! The local surface: a complete node in its own directory, over real HTTP.

use std::{path::Path, time::Duration};

use reqwest::{Client, Method};
use serde_json::Value;
use tempfile::TempDir;
use wm_core::{
    http::Request,
    operation::TokenUsage,
    record::CloudEvent,
    value::{Sha256, Timestamp},
};
use wm_local::{
    artifacts::FILES, clock::now, config::Config, data_directory::Layout, node::Local,
    secrets::SurfaceFile,
};

use super::{composed_node::ComposedNode, node::NodeData};
use crate::{
    client::{answered, object_request},
    harness::{Answer, Harness, ObjectRequest, Signing},
    issuer::TestIssuer,
};

/// The harness over a node.
pub struct LocalSurface {
    pub node: ComposedNode<Local>,
    directory: TempDir,
    client: Client,
    stored: NodeData,
}

impl LocalSurface {
    /// Starts a node on a free port.
    pub async fn start() -> Self {
        Self::over(tempfile::tempdir().unwrap()).await
    }

    /// Starts a node over this directory.
    pub async fn over(directory: TempDir) -> Self {
        let config = Config {
            data: directory.path().to_owned(),
            listen: ([127, 0, 0, 1], 0).into(),
            ..Config::default()
        };
        let node = ComposedNode::start(config, |ports| ports).await.unwrap();
        let stored = NodeData::open(directory.path());
        Self {
            node,
            directory,
            client: Client::new(),
            stored,
        }
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        self.directory.path()
    }
}

/// Sends a request to a node unchanged.
///
/// # Errors
///
/// If no answer arrives.
pub async fn send_to(client: &Client, origin: &str, request: Request) -> reqwest::Result<Answer> {
    let mut url = format!("{origin}{}", request.path);
    if !request.query.is_empty() {
        url = format!("{url}?{}", request.query);
    }
    let method: Method = request.method.parse().unwrap();
    let mut built = client.request(method, url);
    for (name, value) in request.headers {
        built = built.header(name, value);
    }
    answered(built.body(request.body)).await
}

/// Sends a request to a signed URL unchanged.
///
/// # Errors
///
/// If no answer arrives.
pub async fn send_to_signed_url(
    client: &Client,
    request: ObjectRequest,
) -> reqwest::Result<Answer> {
    let method: Method = request.method.parse().unwrap();
    let mut built = client.request(method, request.url);
    for (name, value) in request.headers {
        built = built.header(name, value);
    }
    answered(built.body(request.body)).await
}

impl Signing for LocalSurface {
    fn issuer(&self) -> &TestIssuer {
        self.stored.forger()
    }

    /// Signed with the surface's secret, like [`wm_local::artifacts::Signer`] does for permitted
    /// callers.
    async fn signed_at(
        &self,
        plan: &Value,
        _: usize,
        time: Timestamp,
    ) -> Result<ObjectRequest, &'static str> {
        let request = object_request(plan, Vec::new());
        let (address, query) = request.url.split_once('?').unwrap();
        let (_, path) = address.split_once(FILES).unwrap();
        let end = time.after(Duration::from_mins(15)).to_string();
        let mut signed = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "expires" => signed.append_pair(&name, &end),
                "signature" => &mut signed,
                _ => signed.append_pair(&name, &value),
            };
        }
        let query = signed.finish();
        let secret = SurfaceFile::read(&Layout::new(self.data()).surface())
            .unwrap()
            .unwrap();
        let key = Sha256::keyed(secret.secret.as_bytes(), &[b"files"]);
        let parts = [&request.method, path, &query].map(str::as_bytes);
        let signature = Sha256::keyed(key.as_bytes(), &parts);
        let url = format!("{address}?{query}&signature={signature}");
        Ok(ObjectRequest { url, ..request })
    }
}

impl Harness for LocalSurface {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn call(&self, request: Request) -> Answer {
        let answer = send_to(&self.client, self.node.public_url(), request).await;
        answer.unwrap()
    }

    async fn object(&self, request: ObjectRequest) -> Answer {
        send_to_signed_url(&self.client, request).await.unwrap()
    }

    fn access_token(&self, email: &str) -> String {
        self.stored.token(email, TokenUsage::Access, now())
    }

    fn expired_token(&self, email: &str) -> String {
        self.stored.expired_token(email)
    }

    fn id_token(&self, email: &str) -> String {
        self.stored.token(email, TokenUsage::Id, now())
    }

    async fn drain(&self) {
        self.node.drain().await;
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.stored.events()
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        self.stored.mails(to)
    }

    async fn sweep(&self) {
        self.node.sweep().await;
    }

    fn pass(&self, _: Duration) -> Result<(), &'static str> {
        Err("the clock of a node cannot be set")
    }
}
