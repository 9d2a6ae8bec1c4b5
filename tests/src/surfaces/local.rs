//! The local surface: a whole node in a directory of its own, over real HTTP.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use reqwest::{Client, Method, header::HeaderMap};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;
use wm_core::{
    api::Request,
    cloud_event::CloudEvent,
    facts::TokenUsage,
    value::{Sha256, Timestamp},
};
use wm_local::{
    artifacts::FILES,
    clock::now,
    config::Config,
    data_directory::Layout,
    identity::{ISSUER, Issuer, LIFETIME},
    node::Node,
    secrets::SurfaceFile,
};

use crate::{
    client::object_request,
    harness::{Answer, Harness, ObjectRequest, Signing},
    issuer::TestIssuer,
};

/// The harness over a node.
pub struct LocalSurface {
    /// The node.
    pub node: Node,
    directory: TempDir,
    client: Client,
    issuer: Issuer,
    forger: TestIssuer,
}

/// How long a committed event may take to be published and mailed: what the contract promises for
/// mail is one second; a loaded machine gets more.
const PATIENCE: Duration = Duration::from_secs(20);

impl LocalSurface {
    /// A new node on a free port.
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            data: directory.path().to_owned(),
            listen: ([127, 0, 0, 1], 0).into(),
            ..Config::default()
        };
        let node = Node::start(config).await.unwrap();
        let key = Layout::new(directory.path()).issuer_key();
        let issuer = Issuer::open(&key).unwrap();
        let kid = issuer.jwks().keys[0].common.key_id.clone().unwrap();
        let forger = TestIssuer::with_key(ISSUER, &kid, &std::fs::read(&key).unwrap());
        Self {
            node,
            directory,
            client: Client::new(),
            issuer,
            forger,
        }
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        self.directory.path()
    }

    fn layout(&self) -> Layout {
        Layout::new(self.directory.path())
    }

    /// Whether a journal entry waits to be published.
    fn is_behind(&self) -> bool {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(self.layout().database(), flags).unwrap();
        let waiting = "SELECT EXISTS (SELECT 1 FROM items WHERE gsi1pk LIKE 'WORK#%' AND sk LIKE 'JOURNAL#%')";
        database.query_row(waiting, [], |row| row.get(0)).unwrap()
    }

    fn token(&self, email: &str, usage: TokenUsage) -> String {
        let name = email.split('@').next().unwrap().parse().unwrap();
        self.issuer
            .mint(usage, &email.parse().unwrap(), Some(&name), now())
            .unwrap()
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: headers(response.headers()),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }
}

/// The texts of all mails to an address, oldest first.
pub(super) fn mails(layout: &Layout, to: &str) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(layout.mail().join("new"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.metadata().unwrap().modified().unwrap(), entry.path()))
        .collect();
    files.sort();
    let texts = files
        .into_iter()
        .map(|(_, path)| std::fs::read_to_string(path).unwrap());
    let header = format!("To: {to}");
    texts
        .filter(|text| text.lines().any(|line| line.trim_end() == header))
        .collect()
}

/// Every event in the log.
pub(super) fn events(layout: &Layout) -> Vec<CloudEvent> {
    let lines = std::fs::read_to_string(layout.events()).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text =
        |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

impl Signing for LocalSurface {
    fn issuer(&self) -> &TestIssuer {
        &self.forger
    }

    /// Signed with the surface's secret, as [`wm_local::artifacts::Signer`] does for who was permitted.
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
        let secret = SurfaceFile::read(&self.layout().surface())
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
        let mut url = format!("{}{}", self.node.public_url(), request.path);
        if !request.query.is_empty() {
            url = format!("{url}?{}", request.query);
        }
        let method: Method = request.method.parse().unwrap();
        let mut built = self.client.request(method, url);
        for (name, value) in request.headers {
            built = built.header(name, value);
        }
        self.send(built.body(request.body)).await
    }

    async fn object(&self, request: ObjectRequest) -> Answer {
        let method: Method = request.method.parse().unwrap();
        let mut built = self.client.request(method, request.url);
        for (name, value) in request.headers {
            built = built.header(name, value);
        }
        self.send(built.body(request.body)).await
    }

    fn access_token(&self, email: &str) -> String {
        self.token(email, TokenUsage::Access)
    }

    fn expired_token(&self, email: &str) -> String {
        let ago = LIFETIME + Duration::from_hours(1);
        let ago = i64::try_from(ago.as_millis()).unwrap();
        let issued = Timestamp::from_millis(now().millis() - ago);
        let address = email.parse().unwrap();
        self.issuer
            .mint(TokenUsage::Access, &address, None, issued)
            .unwrap()
    }

    fn id_token(&self, email: &str) -> String {
        self.token(email, TokenUsage::Id)
    }

    /// The relay runs by itself; nothing but its database tells that it is done.
    async fn settle(&self) {
        let begun = Instant::now();
        while self.is_behind() {
            assert!(
                begun.elapsed() < PATIENCE,
                "committed entries are not published"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn events(&self) -> Vec<CloudEvent> {
        events(&self.layout())
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        mails(&self.layout(), to)
    }

    /// The node sweeps by itself once a minute; no scenario waits for that.
    async fn sweep(&self) {}

    fn pass(&self, _: Duration) -> Result<(), &'static str> {
        Err("a node's clock is the machine's")
    }
}
