//! The surfaces of a replay: the reference in memory, and the three others as programs behind their
//! own protocols. All have the same time, seed, surface id, secret and URL.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use wm_aws::{
    config::{Config as AwsConfig, Function},
    records::DynamoRecords,
    sdk::sdk_config,
};
use wm_azure::{
    config::{Config as AzureConfig, Role},
    records::CosmosRecords,
    sdk::Sdk,
};
use wm_core::{
    catalog::Provider,
    http::Request,
    operation::{Surface, TokenUsage},
    record::CloudEvent,
    selection::BackendSelection,
    storage::{Item, ObjectKind, ObjectPath, Range, Scope, UploadLimits},
    value::{Sha256, SurfaceId, Timestamp},
};
use wm_local::{data_directory::DataDirectory, secrets::SurfaceFile};
use wm_service::{Service, clock::now, ports::Records, sweeper::Sweeper, variables::Variables};

use super::mail::read;
use crate::{
    emulators::{azure::entra, cosmos::OneToken},
    harness::{Answer, Harness, ObjectRequest},
    instrumented::{FILE, Instrumented, Order},
    issuer::TestIssuer,
    memory::Memory,
    process::{self, STACK, Served},
    surfaces::{
        aws::{self, AwsSurface, event::Front},
        azure::{self, AzureSurface},
        local::{send_to, send_to_signed_url},
        node::NodeData,
        publish,
    },
};

/// The public URL of every surface.
pub const PUBLIC_URL: &str = "https://workspace.test";
/// The text whose digest is every surface's secret.
const SECRET: &str = "one text that all surfaces of a comparison keep";
/// The timeout of a node's answer and of a process' end.
const TIMEOUT: Duration = Duration::from_secs(60);

fn client() -> Client {
    let client = Client::builder().no_proxy().timeout(TIMEOUT);
    client.build().unwrap()
}

/// The key set URL of the reference's issuer.
const JWKS: &str = "memory:jwks";

fn secret() -> [u8; 32] {
    *Sha256::of(SECRET.as_bytes()).as_bytes()
}

/// The reference: the service itself over the reference database.
pub struct Reference {
    service: Arc<Service<Instrumented<Memory>>>,
    file: PathBuf,
    surface: Surface,
    keys: TestIssuer,
}

impl Reference {
    /// An empty reference with this id and this control file.
    fn new(id: SurfaceId, file: PathBuf) -> Self {
        let keys = TestIssuer::ec("https://issuer.test", "key-1");
        let memory = Memory::at(now());
        let jwks = keys.jwks().to_string().into_bytes();
        memory.keys.0.lock().unwrap().insert(JWKS.into(), jwks);
        let surface = Surface {
            id,
            secret: secret(),
            selection: BackendSelection::defaults(Provider::Local),
            public_url: PUBLIC_URL.into(),
            upload: UploadLimits::default(),
        };
        Self::over(memory, surface, file, keys)
    }

    fn over(memory: Memory, surface: Surface, file: PathBuf, keys: TestIssuer) -> Self {
        let instrumented = Instrumented::by(memory, file.clone());
        let service = Service::new(instrumented, surface.clone(), vec![keys.rules(JWKS)]);
        Self {
            service: Arc::new(service),
            file,
            surface,
            keys,
        }
    }

    /// A copy that continues independently.
    #[must_use]
    pub fn fork(&self) -> Self {
        let memory = self.memory().fork();
        let (surface, file) = (self.surface.clone(), self.file.clone());
        Self::over(memory, surface, file, self.keys.clone())
    }

    fn memory(&self) -> &Memory {
        self.service.provider().inner()
    }

    /// All stored items in order.
    #[must_use]
    pub fn dump(&self) -> Vec<Item> {
        self.memory().records.dump()
    }

    async fn sweep(&self) {
        let sweeper = Sweeper::new(Arc::clone(&self.service), Duration::ZERO);
        sweeper.finish_jobs().await.unwrap();
    }

    /// `None` if the order made it die.
    async fn call(&self, request: Request) -> Option<Answer> {
        let handled = self.service.handle(request.combined());
        let handled = self.service.provider().until_death(handled).await?;
        Some(handled.response.into())
    }

    /// The scope of every stored item, as text. A scope occurs once per item.
    fn scopes(&self) -> impl Iterator<Item = String> {
        let items = self.dump().into_iter();
        items.map(|item| item.key.scope.to_string())
    }
}

/// The local surface as a process.
pub struct Node {
    program: PathBuf,
    directory: PathBuf,
    control_file: PathBuf,
    process: Mutex<Process>,
    client: Client,
    data: NodeData,
    seen: Mutex<usize>,
}

/// The process of a node, killed on drop.
struct Process {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    origin: String,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    fn start(program: &Path, directory: &Path, control_file: &Path) -> Self {
        let mut child = Command::new(program)
            .arg(directory)
            .arg(PUBLIC_URL)
            .env(FILE, control_file)
            .envs([STACK])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let origin = lines.next().expect("the node starts").unwrap();
        Self {
            child,
            input,
            lines,
            origin,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    fn start(program: PathBuf, directory: PathBuf, control_file: PathBuf) -> Self {
        Self {
            process: Mutex::new(Process::start(&program, &directory, &control_file)),
            data: NodeData::open(&directory),
            program,
            directory,
            control_file,
            client: client(),
            seen: Mutex::new(0),
        }
    }

    fn origin(&self) -> String {
        lock(&self.process).origin.clone()
    }

    /// Restarts the process if it ended.
    fn revive(&self) {
        let mut process = lock(&self.process);
        let begun = Instant::now();
        while process.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < TIMEOUT, "the node does not die");
            thread::sleep(Duration::from_millis(2));
        }
        *process = Process::start(&self.program, &self.directory, &self.control_file);
    }

    /// Waits until the node has no pending work.
    fn drain(&self) {
        self.instruct("drain");
    }

    fn instruct(&self, what: &str) {
        let mut process = lock(&self.process);
        writeln!(process.input, "{what}").unwrap();
        let answer = process.lines.next().expect("the node lives").unwrap();
        assert_eq!(answer, "done");
    }

    fn take_events(&self) -> Vec<CloudEvent> {
        take_new(self.data.events(), &self.seen)
    }
}

/// The events after those that were taken before.
fn take_new(mut events: Vec<CloudEvent>, seen: &Mutex<usize>) -> Vec<CloudEvent> {
    let mut seen = lock(seen);
    let new = events.split_off(*seen);
    *seen += new.len();
    new
}

/// The released `wm serve`, observed from outside.
pub struct Shipped {
    node: Served,
    data: NodeData,
    client: Client,
    seen: Mutex<usize>,
    /// Its data directory, deleted on drop.
    _directory: TempDir,
}

impl Shipped {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let node = Served::start(directory.path());
        Self {
            node,
            data: NodeData::open(directory.path()),
            client: client(),
            seen: Mutex::new(0),
            _directory: directory,
        }
    }

    /// Polls the database until the arrived object is processed.
    async fn completed(&self, path: &ObjectPath) {
        let scope = Scope::Project(path.project);
        let waits = |item: &Item| {
            let body: Value = serde_json::from_str(&item.body).unwrap();
            let content = &body["body"]["content"];
            let (artifact, name) = (path.artifact.to_string(), path.file.to_string());
            content["status"] == "pending"
                && content["name"] == name
                && body["body"]["artifact_id"] == artifact
                && body["id"]
                    == match path.kind {
                        ObjectKind::Raw(id) => id.to_string(),
                        ObjectKind::Derived(id) => id.to_string(),
                    }
        };
        self.until(|| !self.data.items(scope).iter().any(waits))
            .await;
    }

    async fn until(&self, done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < TIMEOUT, "the node does not come to rest");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Polls the database until everything is published.
    async fn drain(&self) {
        self.until(|| !self.data.is_behind()).await;
    }
}

/// The kind of a target.
#[expect(
    clippy::large_enum_variant,
    reason = "a comparison has one value of each"
)]
pub enum Kind {
    Memory(Reference),
    /// `wm serve` with a controlled clock.
    Local(Node),
    /// `wm serve`.
    Shipped(Shipped),
    /// The Lambda functions behind a Runtime API. The table is read from outside.
    Aws(AwsSurface, DynamoRecords),
    /// The handler behind the Functions host. The container is read from outside.
    Azure(AzureSurface, CosmosRecords),
}

/// A surface of a comparison.
pub struct Target {
    /// Its name for messages.
    pub name: &'static str,
    /// The path of its control file.
    pub file: PathBuf,
    pub kind: Kind,
}

/// The surfaces of a comparison. The reference is the first.
pub struct Targets {
    pub all: Vec<Target>,
    /// Whether control files set time and randomness.
    pub are_controlled: bool,
    /// The scopes of earlier scripts. A node's own sweep may still finish work there.
    pub past: BTreeSet<String>,
    /// The operations that succeeded at least once.
    pub covered: RefCell<BTreeSet<&'static str>>,
    /// The number of replays of each seed.
    attempts: BTreeMap<u64, u64>,
    /// The control files and the data of the node.
    pub folder: TempDir,
}

impl Targets {
    /// Starts all four. On AWS, this number of instances answers requests, and each has its own
    /// cache of known people.
    pub async fn start(instances: usize) -> Self {
        let program = process::binary("surface");
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let file = folder.path().join(format!("{name}.json"));
            Order::default().write(&file);
            file
        };
        let data = folder.path().join("data");
        let id = prepare(&data);
        let node = Node::start(program.clone(), data, file("local"));
        let on_aws = aws(aws::Options {
            program: Some(program.clone()),
            environment: identity("AWS", id, &file("aws")),
            instances,
            ..aws::Options::default()
        });
        let on_azure = azure(azure::Options {
            program: Some(program.clone()),
            environment: identity("AZURE", id, &file("azure")),
            ..azure::Options::default()
        });
        // Sequentially: the emulators may have to be installed first, which blocks everything else.
        let (on_azure, on_aws) = (on_azure.await, on_aws.await);
        let target = |name, kind| Target {
            name,
            file: file(name),
            kind,
        };
        let all = vec![
            target("memory", Kind::Memory(Reference::new(id, file("memory")))),
            target("local", Kind::Local(node)),
            target("aws", on_aws),
            target("azure", on_azure),
        ];
        Self {
            all,
            are_controlled: true,
            past: BTreeSet::new(),
            covered: RefCell::default(),
            attempts: BTreeMap::new(),
            folder,
        }
    }

    /// Starts the released programs, without control files. The node is the first.
    pub async fn shipped() -> Self {
        // First, because building the binaries blocks everything else.
        process::binary("wm");
        let folder = tempfile::tempdir().unwrap();
        let on_azure = azure(azure::Options::default()).await;
        let on_aws = aws(aws::Options::default()).await;
        let target = |name: &'static str, kind| Target {
            name,
            file: folder.path().join(name),
            kind,
        };
        let all = vec![
            target("local", Kind::Shipped(Shipped::start())),
            target("aws", on_aws),
            target("azure", on_azure),
        ];
        Self {
            all,
            are_controlled: false,
            past: BTreeSet::new(),
            covered: RefCell::default(),
            attempts: BTreeMap::new(),
            folder,
        }
    }

    /// The events of a target since the last call, without those of earlier scripts.
    #[must_use]
    pub fn take_events(&self, target: &Target) -> Vec<CloudEvent> {
        let mut events = target.take_events();
        events.retain(|event| !self.past.contains(&event.subject));
        events
    }

    /// Starts the script of a seed again and returns the number of its earlier runs. The reference
    /// is empty then. The other surfaces need not be, because scripts share no people.
    pub fn renew(&mut self, seed: u64) -> u64 {
        let attempt = self.attempts.entry(seed).or_default();
        *attempt += 1;
        let before = *attempt - 1;
        let first = &mut self.all[0];
        if let Kind::Memory(reference) = &first.kind {
            let id = reference.surface.id;
            self.past.extend(reference.scopes());
            first.kind = Kind::Memory(Reference::new(id, first.file.clone()));
        }
        before
    }
}

/// Creates a node's directory with the secret that all surfaces share. Returns the surface id.
fn prepare(data: &Path) -> SurfaceId {
    let opened = DataDirectory::open(data.to_owned()).unwrap();
    let (path, surface) = (opened.layout.surface(), opened.surface);
    drop(opened);
    let kept = SurfaceFile::read(&path).unwrap().unwrap();
    let secret = Sha256::from_bytes(secret()).into();
    SurfaceFile { secret, ..kept }.write(&path).unwrap();
    surface
}

/// The environment variables with the identity of a cloud surface and the path of its control file.
fn identity(prefix: &str, id: SurfaceId, control_file: &Path) -> Vec<(String, String)> {
    let own = |name: &str, value: String| (format!("{prefix}_{name}"), value);
    vec![
        own("SURFACE_ID", id.to_string()),
        own("PUBLIC_URL", PUBLIC_URL.to_owned()),
        own("SURFACE_SECRET", SECRET.to_owned()),
        (FILE.to_owned(), control_file.to_str().unwrap().to_owned()),
    ]
}

async fn aws(options: aws::Options) -> Kind {
    let surface = AwsSurface::with(options).await;
    let variables: Variables = surface.resources.environment().into_iter().collect();
    let config = AwsConfig::read(Function::Ingest, variables).unwrap();
    let credentials = Credentials::new("test", "test", None, None, "tests");
    let shared = sdk_config(&config).into_builder();
    let shared = shared
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let records = DynamoRecords::new(&shared, &config);
    Kind::Aws(surface, records)
}

async fn azure(options: azure::Options) -> Kind {
    let surface = AzureSurface::with(options).await;
    let variables: Variables = surface.resources.environment().into_iter().collect();
    let config = AzureConfig::read(Role::Api, variables).unwrap();
    let (token, client) = (OneToken::good(), Client::new());
    let sdk = Sdk::acting_as(token.clone(), token, client);
    let records = CosmosRecords::new(&sdk, &config).unwrap();
    Kind::Azure(surface, records)
}

impl Target {
    /// The reference, if this target is the one in memory.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        match &self.kind {
            Kind::Memory(reference) => Some(reference),
            _ => None,
        }
    }

    /// Sends a request to the public API.
    pub async fn call(&self, request: Request) -> Answer {
        self.try_call(request).await.expect("an answer")
    }

    /// Sends a request to the public API. `None` if the process died.
    pub async fn try_call(&self, request: Request) -> Option<Answer> {
        Some(match &self.kind {
            Kind::Memory(reference) => return reference.call(request).await,
            Kind::Local(node) => return send_to(&node.client, &node.origin(), request).await.ok(),
            Kind::Shipped(node) => {
                let answer = send_to(&node.client, &node.node.url, request).await;
                answer.unwrap()
            }
            Kind::Aws(surface, _) => surface.send(Front::ApiGateway, &request).await,
            Kind::Azure(surface, _) => surface.send(&request).await,
        })
    }

    /// Restarts an ended process. A cloud restarts its processes by itself.
    pub fn revive(&self) {
        if let Kind::Local(node) = &self.kind {
            node.revive();
        }
    }

    /// Sends a request to a signed URL. A node's URLs have its public origin, which is replaced by
    /// its address.
    pub async fn object(&self, request: ObjectRequest) -> Answer {
        self.try_object(request).await.expect("an answer")
    }

    /// Sends a request to a signed URL. `None` if the process died.
    pub async fn try_object(&self, mut request: ObjectRequest) -> Option<Answer> {
        Some(match &self.kind {
            Kind::Memory(reference) => reference.memory().artifacts.answer(&request),
            Kind::Local(node) => {
                request.url = request.url.replacen(PUBLIC_URL, &node.origin(), 1);
                return send_to_signed_url(&node.client, request).await.ok();
            }
            Kind::Shipped(node) => return send_to_signed_url(&node.client, request).await.ok(),
            Kind::Aws(surface, _) => surface.object(request).await,
            Kind::Azure(surface, _) => surface.object(request).await,
        })
    }

    /// Lets the surface complete the upload of a created object.
    pub async fn created(&self, path: &ObjectPath) {
        match &self.kind {
            Kind::Memory(reference) => reference.service.ingest(path).await.unwrap(),
            Kind::Local(node) => node.drain(),
            Kind::Shipped(node) => node.completed(path).await,
            Kind::Aws(surface, _) => surface.created(&path.to_string()).await,
            Kind::Azure(surface, _) => surface.created(&path.to_string()).await,
        }
    }

    /// Publishes all committed changes and sends their mails.
    pub async fn publish(&self) {
        match &self.kind {
            Kind::Memory(reference) => publish(&reference.service).await,
            Kind::Local(node) => node.drain(),
            Kind::Shipped(node) => node.drain().await,
            Kind::Aws(surface, _) => surface.publish().await,
            Kind::Azure(surface, _) => surface.publish().await,
        }
    }

    /// The events since the last call.
    #[must_use]
    pub fn take_events(&self) -> Vec<CloudEvent> {
        match &self.kind {
            Kind::Memory(reference) => {
                std::mem::take(&mut *reference.memory().events.0.lock().unwrap())
            }
            Kind::Local(node) => node.take_events(),
            Kind::Shipped(node) => take_new(node.data.events(), &node.seen),
            Kind::Aws(surface, _) => surface.take_events(),
            Kind::Azure(surface, _) => surface.take_events(),
        }
    }

    /// The subjects and texts of all mails to an address, oldest first.
    pub async fn mails(&self, to: &str) -> Vec<(String, String)> {
        match &self.kind {
            Kind::Memory(reference) => {
                let mails = reference.memory().mail.0.lock().unwrap();
                let own = mails.iter().filter(|mail| mail.to.as_str() == to);
                own.map(|mail| (mail.subject.clone(), mail.text.clone()))
                    .collect()
            }
            Kind::Local(Node { data, .. }) | Kind::Shipped(Shipped { data, .. }) => {
                data.mails(to).iter().map(|mail| read(mail)).collect()
            }
            Kind::Aws(surface, _) => surface.messages(to).await,
            Kind::Azure(surface, _) => surface.resources.messages(to),
        }
    }

    /// Finishes interrupted work. `wm serve` does so once a minute by itself.
    pub async fn sweep(&self) {
        match &self.kind {
            Kind::Memory(reference) => reference.sweep().await,
            Kind::Local(node) => node.instruct("sweep"),
            Kind::Shipped(_) => {}
            Kind::Aws(surface, _) => surface.sweep().await,
            Kind::Azure(surface, _) => surface.sweep().await,
        }
    }

    /// Every scope with items.
    pub async fn scopes(&self) -> BTreeSet<String> {
        match &self.kind {
            Kind::Memory(reference) => reference.scopes().collect(),
            Kind::Local(Node { data, .. }) | Kind::Shipped(Shipped { data, .. }) => data.scopes(),
            Kind::Aws(surface, _) => surface.resources.partitions().await,
            Kind::Azure(surface, _) => surface.resources.partitions().await,
        }
    }

    /// All items of a scope in order.
    pub async fn items(&self, scope: Scope) -> Vec<Item> {
        let range = Range::all(scope, "");
        match &self.kind {
            Kind::Memory(reference) => reference.memory().records.scan(&range).await.unwrap().items,
            Kind::Local(Node { data, .. }) | Kind::Shipped(Shipped { data, .. }) => {
                data.items(scope)
            }
            Kind::Aws(_, records) => records.scan(&range).await.unwrap().items,
            Kind::Azure(_, records) => records.scan(&range).await.unwrap().items,
        }
    }

    /// An ID token for the person with this e-mail address, valid from this time.
    #[must_use]
    pub fn id_token(&self, email: &str, issued: Timestamp) -> String {
        match &self.kind {
            Kind::Memory(reference) => {
                let claims = reference.keys.claims(email, "id", issued);
                reference.keys.sign(&claims)
            }
            Kind::Local(Node { data, .. }) | Kind::Shipped(Shipped { data, .. }) => {
                data.token(email, TokenUsage::Id, issued)
            }
            Kind::Aws(surface, _) => {
                let pool = &surface.pool;
                pool.id.sign(&pool.id_claims(email, issued))
            }
            Kind::Azure(..) => entra::id_token(email, issued),
        }
    }

    /// An access token for the person with this e-mail address, valid from this time, with or
    /// without the address in its claims.
    #[must_use]
    pub fn access_token(&self, email: &str, issued: Timestamp, shows_address: bool) -> String {
        let (mut claims, verified, issuer) = match &self.kind {
            Kind::Memory(reference) => {
                let claims = reference.keys.claims(email, "access", issued);
                (claims, "email_verified", &reference.keys)
            }
            Kind::Local(Node { data, .. }) | Kind::Shipped(Shipped { data, .. }) => {
                let claims = data.access_claims(email, issued);
                (claims, "email_verified", data.forger())
            }
            Kind::Aws(surface, _) => {
                let claims = surface.pool.access_claims(email, issued);
                (claims, "email_verified", &surface.pool.access)
            }
            Kind::Azure(..) => {
                let claims = entra::access_claims(email, issued);
                (claims, "xms_edov", entra::signer())
            }
        };
        let shown = claims.as_object_mut().unwrap();
        let address = [
            ("email", json!(email)),
            (verified, json!(true)),
            ("name", json!(email.split('@').next())),
        ];
        for (name, value) in address {
            if shows_address {
                shown.insert(name.to_owned(), value);
            } else {
                shown.remove(name);
            }
        }
        issuer.sign(&claims)
    }

    /// An expired access token.
    #[must_use]
    pub fn expired_token(&self, email: &str) -> String {
        match &self.kind {
            Kind::Memory(reference) => {
                let long_ago = now().before(Duration::from_hours(2));
                let claims = reference.keys.claims(email, "access", long_ago);
                reference.keys.sign(&claims)
            }
            Kind::Local(Node { data, .. }) | Kind::Shipped(Shipped { data, .. }) => {
                data.expired_token(email)
            }
            Kind::Aws(surface, _) => surface.expired_token(email),
            Kind::Azure(surface, _) => surface.expired_token(email),
        }
    }

    /// The last printed lines of a program, for messages.
    #[must_use]
    pub fn last_lines(&self) -> String {
        match &self.kind {
            Kind::Memory(_) | Kind::Local(_) | Kind::Shipped(_) => String::new(),
            Kind::Aws(surface, _) => surface.api().last_lines(),
            Kind::Azure(surface, _) => surface.host.last_lines(),
        }
    }
}
