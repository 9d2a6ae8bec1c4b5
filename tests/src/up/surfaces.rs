//! The served form of each surface.

use std::{path::PathBuf, process::Command, sync::Arc};

use tempfile::TempDir;
use tokio::task::JoinHandle;
use wm_core::{http::Request, operation::TokenUsage, record::CloudEvent, value::Email};
use wm_service::clock::now;

use super::{Open, Tokens, gateway, listen};
use crate::{
    harness::Harness,
    process::{self, Companion},
    surfaces::{aws::AwsSurface, azure::AzureSurface, node::NodeData},
};

/// A node over a directory that is deleted at the end.
pub struct Node {
    url: String,
    data: NodeData,
    /// Dropped before the directory.
    _process: Companion,
    _directory: TempDir,
}

impl Node {
    /// Starts `wm serve`.
    #[must_use]
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(process::binary("wm"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(directory.path())
            .envs([process::STACK]);
        let process = Companion::start(&command, "Ctrl-C").expect("the node starts");
        let greeting = process.output();
        let mut words = greeting.split_whitespace();
        let url = words.find(|word| word.starts_with("http://"));
        Self {
            url: url.expect("the node prints its URL").to_owned(),
            data: NodeData::open(directory.path()),
            _process: process,
            _directory: directory,
        }
    }
}

impl Open for Node {
    fn name(&self) -> &'static str {
        "local"
    }

    fn url(&self) -> &str {
        &self.url
    }

    /// Its access tokens contain the e-mail address, so the first request creates the identity.
    async fn tokens(&self, email: &Email) -> Tokens {
        let token = |usage| self.data.token(email.as_str(), usage, now());
        Tokens {
            access_token: token(TokenUsage::Access),
            id_token: token(TokenUsage::Id),
        }
    }

    async fn mails(&self, to: &Email) -> Vec<String> {
        self.data.mails(to.as_str())
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.data.events()
    }

    /// A node does this by itself.
    async fn carry(&self) {}

    /// A node does this by itself.
    async fn sweep(&self) {}
}

/// The functions of AWS behind a gateway.
pub struct Aws {
    surface: Arc<AwsSurface>,
    url: String,
    gateway: JoinHandle<()>,
}

impl Aws {
    /// Starts the gateway of a surface.
    pub async fn open(surface: AwsSurface) -> Self {
        let surface = Arc::new(surface);
        let (listener, url) = listen().await;
        let gateway = tokio::spawn(gateway::serve(listener, Arc::clone(&surface)));
        Self {
            surface,
            url,
            gateway,
        }
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.gateway.abort();
    }
}

impl Open for Aws {
    fn name(&self) -> &'static str {
        self.surface.name()
    }

    fn url(&self) -> &str {
        &self.url
    }

    async fn tokens(&self, email: &Email) -> Tokens {
        introduced(&*self.surface, email).await
    }

    async fn mails(&self, to: &Email) -> Vec<String> {
        self.surface.mails(to.as_str()).await
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.surface.events().await
    }

    async fn carry(&self) {
        self.surface.drain().await;
    }

    async fn sweep(&self) {
        Harness::sweep(&*self.surface).await;
    }
}

/// The handler of Azure in its host, which serves HTTP itself.
pub struct Azure(AzureSurface);

impl Azure {
    #[must_use]
    pub fn open(surface: AzureSurface) -> Self {
        Self(surface)
    }
}

impl Open for Azure {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn url(&self) -> &str {
        &self.0.host.url
    }

    fn certificates(&self) -> Option<PathBuf> {
        Some(self.0.resources.certificates())
    }

    async fn tokens(&self, email: &Email) -> Tokens {
        introduced(&self.0, email).await
    }

    async fn mails(&self, to: &Email) -> Vec<String> {
        self.0.mails(to.as_str()).await
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.0.events().await
    }

    async fn carry(&self) {
        self.0.drain().await;
    }

    async fn sweep(&self) {
        Harness::sweep(&self.0).await;
    }
}

/// The tokens of a person whose access token contains no e-mail address. A request through the
/// harness presents the ID token first, so that the person's own client need not.
async fn introduced<H: Harness>(surface: &H, email: &Email) -> Tokens {
    let access_token = surface.access_token(email.as_str());
    let authorization = format!("Bearer {access_token}");
    let request = Request {
        method: "GET".into(),
        path: "/v1/session".into(),
        headers: vec![("authorization".into(), authorization)],
        ..Request::default()
    };
    surface.call(request).await;
    Tokens {
        access_token,
        id_token: surface.id_token(email.as_str()),
    }
}
