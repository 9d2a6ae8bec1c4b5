//! The Azure surface: the real handler behind the Functions host emulator, over the Cosmos DB
//! emulator, azurite and the emulators of the other services.
//!
//! The tests trigger the transport between services, which Azure does by itself: they pass the
//! change feed to `relay`, the events of the topic to `notify`, and created blobs to `ingest`.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wm_core::{http::Request, record::CloudEvent, value::Timestamp};
use wm_service::clock::now;

use crate::{
    emulators::azure::entra,
    functions_host::{Host, Outcome, Settings, app::package},
    harness::{Answer, Harness, ObjectRequest, Signing},
    issuer::TestIssuer,
    process, suite,
    surfaces::people::People,
};

pub mod resources;

use resources::Resources;

/// The characters that a client encodes in a target (RFC 3986 section 3.3). `%` stays, because
/// tests use it.
const TARGET: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The options of a surface under test.
#[derive(Debug, Clone)]
pub struct Options {
    /// Additional environment variables, which take precedence.
    pub environment: Vec<(String, String)>,
    /// Whether the vault is down at first.
    pub vault_down: bool,
    /// Whether to wait until the handler is ready.
    pub ready: bool,
    /// Whether the surface has its own database account, so that faults can be injected.
    pub own_database: bool,
    /// A program that replaces the handler.
    pub program: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            environment: Vec::new(),
            vault_down: false,
            ready: true,
            own_database: false,
            program: None,
        }
    }
}

/// The harness over the handler.
pub struct AzureSurface {
    /// Its Azure resources.
    pub resources: Resources,
    /// The host with the handler.
    pub host: Host,
    package: TempDir,
    options: Options,
    /// The blobs that `ingest` was notified of.
    notified: Mutex<BTreeSet<String>>,
    carried: Mutex<Vec<CloudEvent>>,
    people: People,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The maximum number of deliveries of a batch of the change feed before the test fails.
const DELIVERIES: usize = 10;

impl AzureSurface {
    /// Starts a separate surface.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// Starts a surface with these options.
    pub async fn with(options: Options) -> Self {
        let resources = Resources::create(options.own_database).await;
        resources.break_vault(options.vault_down);
        let package = match &options.program {
            Some(program) => package(program),
            None => package(&process::binary("handler")),
        };
        let host = host(&resources, &package, &options).await;
        Self {
            resources,
            host,
            package,
            options,
            notified: Mutex::default(),
            carried: Mutex::default(),
            people: People::default(),
        }
    }

    /// The same resources under a new host, as after the platform replaced a stopped one.
    pub async fn restarted(self) -> Self {
        let host = host(&self.resources, &self.package, &self.options).await;
        Self { host, ..self }
    }

    /// Sends a request to the public API unchanged.
    pub async fn send(&self, request: &Request) -> Answer {
        let stream = self.connect().await;
        Self::send_over(stream, request).await
    }

    /// Sends a request to the handler directly, without the host.
    pub async fn send_inside(&self, request: &Request) -> Answer {
        let stream = TcpStream::connect(("127.0.0.1", self.host.port())).await;
        Self::send_over(stream.unwrap(), request).await
    }

    async fn send_over(stream: TcpStream, request: &Request) -> Answer {
        let path = utf8_percent_encode(&request.path, TARGET);
        let mut target = path.to_string();
        if !request.query.is_empty() {
            target = format!("{target}?{}", utf8_percent_encode(&request.query, TARGET));
        }
        let mut built = hyper::Request::builder()
            .method(request.method.as_str())
            .uri(target)
            .header("host", "workspace.azurewebsites.net");
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let built = built.body(Full::new(Bytes::from(request.body.clone())));
        let stream = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let response = sender.send_request(built.unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        connection.abort();
        let text = |value: &hyper::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        Answer {
            status: parts.status.as_u16(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect(),
            body: body.to_vec(),
        }
    }

    /// Sends bytes to the public port and reads until the connection ends.
    pub async fn raw_outside(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn connect(&self) -> TcpStream {
        let address = self.host.url.strip_prefix("http://").unwrap();
        TcpStream::connect(address).await.unwrap()
    }

    /// The lines of the handler's log that are JSON objects.
    pub fn entries(&self) -> Vec<Value> {
        let lines = self.host.lines().into_iter();
        lines
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect()
    }

    /// Waits for the first log entry that matches.
    pub async fn entry(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..2_000 {
            if let Some(entry) = self.entries().into_iter().find(&wanted) {
                return entry;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no such line: {}", self.host.last_lines());
    }

    /// The changes of the change feed since the last call, as the host gets them.
    pub async fn changes(&self) -> Vec<Value> {
        self.resources.changes().await
    }

    /// The events of the topic since the last call, as its subscription delivers them.
    pub async fn carried(&self) -> Vec<Value> {
        let events = self.resources.events();
        for event in &events {
            lock(&self.carried).push(serde_json::from_value(event.clone()).unwrap());
        }
        events
    }

    /// The Event Grid event about a blob in the container.
    pub async fn blob_created(&self, path: &str) -> Value {
        self.resources.blob_created(path)
    }

    /// The values that no log may contain.
    pub fn secrets(&self) -> Vec<String> {
        self.resources.secrets()
    }

    /// Passes committed changes to `relay` in batches. Returns whether there were any.
    async fn relay(&self) -> bool {
        let changes = self.changes().await;
        for batch in changes.chunks(100) {
            let mut deliveries = 0;
            while !self.host.deliver_changes("relay", batch).await {
                deliveries += 1;
                let lines = || self.host.last_lines();
                assert!(
                    deliveries < DELIVERIES,
                    "a batch does not come through: {}",
                    lines()
                );
            }
        }
        !changes.is_empty()
    }

    /// Delivers the events of the topic to `notify`.
    async fn notify(&self) -> bool {
        let events = self.carried().await;
        self.host.events("notify", &events).await;
        !events.is_empty()
    }

    /// Takes the changes and blobs so far as processed by a handler of an earlier time.
    pub async fn skip_changes(&self) {
        self.changes().await;
        let blobs = self.resources.blobs().await;
        lock(&self.notified).extend(blobs);
    }

    /// Notifies `ingest` of a created blob.
    pub async fn created(&self, path: &str) {
        let created = self.resources.blob_created(path);
        self.host.events("ingest", &[created]).await;
    }

    /// Publishes and mails until no work is pending.
    pub async fn publish(&self) {
        while self.relay().await | self.notify().await {}
    }

    /// The events since the last call.
    pub fn take_events(&self) -> Vec<CloudEvent> {
        std::mem::take(&mut lock(&self.carried))
    }

    /// Notifies `ingest` of every new blob in the container.
    async fn ingest(&self) -> bool {
        let blobs = self.resources.blobs().await;
        let is_new = |path: &String| lock(&self.notified).insert(path.clone());
        let created: Vec<Value> = blobs
            .into_iter()
            .filter(is_new)
            .map(|path| self.resources.blob_created(&path))
            .collect();
        self.host.events("ingest", &created).await;
        !created.is_empty()
    }
}

async fn host(resources: &Resources, package: &TempDir, options: &Options) -> Host {
    let mut environment = resources.environment();
    environment.extend(options.environment.iter().cloned());
    let host = Host::start(Settings::new(package.path().to_owned(), environment)).await;
    if options.ready {
        host.ready().await;
    }
    host
}

impl Signing for AzureSurface {
    fn issuer(&self) -> &TestIssuer {
        entra::signer()
    }

    async fn signed_at(
        &self,
        plan: &Value,
        size: usize,
        time: Timestamp,
    ) -> Result<ObjectRequest, &'static str> {
        Ok(self.resources.signed_at(plan, size, time).await)
    }
}

impl Harness for AzureSurface {
    fn name(&self) -> &'static str {
        "azure"
    }

    async fn call(&self, request: Request) -> Answer {
        let id_token = |email: &str| self.id_token(email);
        let send = |request| async move { self.send(&request).await };
        self.people.introduce(&request, id_token, send).await;
        if request.path.contains("%00") {
            static NOTED: Once = Once::new();
            let reason = "the host itself answers 400; the test calls the handler directly";
            NOTED.call_once(|| suite::known_limitation("azure", "a NUL in a path", reason));
            return self.send_inside(&request).await;
        }
        self.send(&request).await
    }

    async fn object(&self, request: ObjectRequest) -> Answer {
        self.resources.object(request).await
    }

    fn access_token(&self, email: &str) -> String {
        let token = entra::access_token(email, now());
        self.people.remember(&token, email);
        token
    }

    fn id_token(&self, email: &str) -> String {
        entra::id_token(email, now())
    }

    fn expired_token(&self, email: &str) -> String {
        let issued = Timestamp::from_millis(now().millis() - 2 * 60 * 60 * 1000);
        entra::access_token(email, issued)
    }

    /// Blob Storage checks no SHA-256 of stored bytes.
    fn known_limitations(&self) -> &[&str] {
        &["bind a digest"]
    }

    /// Runs until no work is pending: commits of `notify` and `ingest` go through the feed again.
    async fn drain(&self) {
        loop {
            let moved = [self.ingest().await, self.relay().await, self.notify().await];
            if !moved.contains(&true) {
                return;
            }
        }
    }

    async fn events(&self) -> Vec<CloudEvent> {
        lock(&self.carried).clone()
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        self.resources.mails(to)
    }

    async fn sweep(&self) {
        assert_eq!(self.host.tick("sweep").await, Outcome::Done);
    }

    fn pass(&self, _: Duration) -> Result<(), &'static str> {
        Err("the clock of the handler cannot be set")
    }
}
