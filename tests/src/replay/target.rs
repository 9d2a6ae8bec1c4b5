//! The surfaces a script is replayed on: the reference in memory, and the three as programs behind their own
//! protocols. All of them are told one time, one seed, one surface id, one secret and one address.

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
        local::{send_to, send_to_address},
        node::NodeData,
        publish,
    },
};

/// Where people reach every surface.
pub const PUBLIC_URL: &str = "https://workspace.test";
/// What every surface's secret is the digest of.
const SECRET: &str = "one text that all surfaces of a comparison keep";
/// How long a node may take for an answer, and a process to end.
const TIMEOUT: Duration = Duration::from_secs(60);

fn client() -> Client {
    let client = Client::builder().no_proxy().timeout(TIMEOUT);
    client.build().unwrap()
}

/// Where the reference's issuer has its keys.
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
    /// An empty one with this id, told by this file.
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
        let told = Instrumented::by(memory, file.clone());
        let service = Service::new(told, surface.clone(), vec![keys.rules(JWKS)]);
        Self {
            service: Arc::new(service),
            file,
            surface,
            keys,
        }
    }

    /// Another one that goes on from here.
    #[must_use]
    pub fn fork(&self) -> Self {
        let memory = self.memory().fork();
        let (surface, file) = (self.surface.clone(), self.file.clone());
        Self::over(memory, surface, file, self.keys.clone())
    }

    fn memory(&self) -> &Memory {
        self.service.provider().inner()
    }

    /// Everything that is stored, in order.
    #[must_use]
    pub fn dump(&self) -> Vec<Item> {
        self.memory().records.dump()
    }

    async fn sweep(&self) {
        let sweeper = Sweeper::new(Arc::clone(&self.service), Duration::ZERO);
        sweeper.finish_jobs().await.unwrap();
    }

    /// `None` when it was told to die over it.
    async fn call(&self, request: Request) -> Option<Answer> {
        let handled = self.service.handle(request.combined());
        let handled = self.service.provider().until_death(handled).await?;
        Some(handled.response.into())
    }

    /// The scopes in which something is stored.
    fn scopes(&self) -> impl Iterator<Item = String> {
        let items = self.dump().into_iter();
        items.map(|item| item.key.scope.to_string())
    }
}

/// The local surface as a process.
pub struct Node {
    program: PathBuf,
    directory: PathBuf,
    told: PathBuf,
    process: Mutex<Process>,
    client: Client,
    data: NodeData,
    seen: Mutex<usize>,
}

/// The process of a node, which ends with this value.
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
    fn start(program: &Path, directory: &Path, told: &Path) -> Self {
        let mut child = Command::new(program)
            .arg(directory)
            .arg(PUBLIC_URL)
            .env(FILE, told)
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
    fn start(program: PathBuf, directory: PathBuf, told: PathBuf) -> Self {
        Self {
            process: Mutex::new(Process::start(&program, &directory, &told)),
            data: NodeData::open(&directory),
            program,
            directory,
            told,
            client: client(),
            seen: Mutex::new(0),
        }
    }

    fn origin(&self) -> String {
        lock(&self.process).origin.clone()
    }

    /// Starts it again where it ended.
    fn revive(&self) {
        let mut process = lock(&self.process);
        let begun = Instant::now();
        while process.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < TIMEOUT, "the node does not die");
            thread::sleep(Duration::from_millis(2));
        }
        *process = Process::start(&self.program, &self.directory, &self.told);
    }

    /// Returns once nothing is left to be done behind the answers.
    fn drain(&self) {
        self.ask("drain");
    }

    fn ask(&self, what: &str) {
        let mut process = lock(&self.process);
        writeln!(process.input, "{what}").unwrap();
        let answer = process.lines.next().expect("the node lives").unwrap();
        assert_eq!(answer, "done");
    }

    fn take_events(&self) -> Vec<CloudEvent> {
        take_new(self.data.events(), &self.seen)
    }
}

/// The events behind those that were seen before.
fn take_new(mut events: Vec<CloudEvent>, seen: &Mutex<usize>) -> Vec<CloudEvent> {
    let mut seen = lock(seen);
    let new = events.split_off(*seen);
    *seen += new.len();
    new
}

/// `wm serve` as people run it, seen from outside.
pub struct Shipped {
    node: Served,
    data: NodeData,
    client: Client,
    seen: Mutex<usize>,
    /// Where it keeps things, for as long as it runs.
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

    /// Nothing but its database tells that it looked at what arrived.
    async fn completed(&self, path: &ObjectPath) {
        let scope = Scope::Project(path.project);
        let waits = |item: &Item| {
            let body: Value = serde_json::from_str(&item.body).unwrap();
            let content = &body["body"]["content"];
            let (artifact, name) = (path.artifact.to_string(), path.file.to_string());
            content["status"] == "pending"
                && content["name"] == name
                && body["body"]["artifact_id"] == artifact
                && match path.kind {
                    ObjectKind::Raw(number) => body["body"]["number"] == number,
                    ObjectKind::Derived(id) => body["id"] == id.to_string(),
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

    /// Nothing but its database tells that everything is published.
    async fn drain(&self) {
        self.until(|| !self.data.is_behind()).await;
    }
}

/// What a target is.
#[expect(
    clippy::large_enum_variant,
    reason = "a comparison has one value of each"
)]
pub enum Kind {
    Memory(Reference),
    /// `wm serve`, but for its clock.
    Local(Node),
    /// `wm serve`.
    Shipped(Shipped),
    /// The Lambda functions behind a Runtime API, and their table read from outside.
    Aws(AwsSurface, DynamoRecords),
    /// The handler behind the Functions host, and its container read from outside.
    Azure(AzureSurface, CosmosRecords),
}

/// A surface of a comparison.
pub struct Target {
    /// Its name, for messages.
    pub name: &'static str,
    /// Where it is told.
    pub file: PathBuf,
    pub kind: Kind,
}

/// The surfaces of a comparison, the reference first.
pub struct Targets {
    pub all: Vec<Target>,
    /// Whether they are told their time and their randomness.
    pub are_told: bool,
    /// The scopes of scripts that are over: a node's own sweep may still finish something there.
    pub past: BTreeSet<String>,
    /// The operations that were carried out at least once.
    pub covered: RefCell<BTreeSet<&'static str>>,
    /// How often the script of each seed was replayed.
    attempts: BTreeMap<u64, u64>,
    /// Where they are told, and what the node keeps.
    pub folder: TempDir,
}

impl Targets {
    /// Starts all four, with so many instances of the function on AWS that answers requests: each remembers by
    /// itself whom it has met.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn start(instances: usize) -> Self {
        let program = process::binary("surface");
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let file = folder.path().join(format!("{name}.json"));
            Order::default().tell(&file);
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
        // One after the other: what they stand on may have to be installed first, and nothing else goes on meanwhile.
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
            are_told: true,
            past: BTreeSet::new(),
            covered: RefCell::default(),
            attempts: BTreeMap::new(),
            folder,
        }
    }

    /// Starts the programs that are shipped, which nobody tells anything; the node comes first.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn shipped() -> Self {
        // First, because nothing else goes on while the binaries are built.
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
            are_told: false,
            past: BTreeSet::new(),
            covered: RefCell::default(),
            attempts: BTreeMap::new(),
            folder,
        }
    }

    /// The events a target published since the last time, but for those of scripts that are over.
    #[must_use]
    pub fn take_events(&self, target: &Target) -> Vec<CloudEvent> {
        let mut events = target.take_events();
        events.retain(|event| !self.past.contains(&event.subject));
        events
    }

    /// Begins the script of a seed again, saying how often that was done before. The reference is empty then; the others
    /// need not be, because no script knows of another's people.
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

/// Sets a node's directory up with the secret that all surfaces share; the surface's id.
fn prepare(data: &Path) -> SurfaceId {
    let opened = DataDirectory::open(data.to_owned()).unwrap();
    let (path, surface) = (opened.layout.surface(), opened.surface);
    drop(opened);
    let kept = SurfaceFile::read(&path).unwrap().unwrap();
    let secret = Sha256::from_bytes(secret()).into();
    SurfaceFile { secret, ..kept }.write(&path).unwrap();
    surface
}

/// The variables that say what a surface on a cloud is, and where it is told.
fn identity(prefix: &str, id: SurfaceId, told: &Path) -> Vec<(String, String)> {
    let own = |name: &str, value: String| (format!("{prefix}_{name}"), value);
    vec![
        own("SURFACE_ID", id.to_string()),
        own("PUBLIC_URL", PUBLIC_URL.to_owned()),
        own("SURFACE_SECRET", SECRET.to_owned()),
        (FILE.to_owned(), told.to_str().unwrap().to_owned()),
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
    /// The reference behind this target, if it is the one in memory.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        match &self.kind {
            Kind::Memory(reference) => Some(reference),
            _ => None,
        }
    }

    /// Sends a request through the front door.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn call(&self, request: Request) -> Answer {
        self.try_call(request).await.expect("an answer")
    }

    /// Sends a request through the front door; `None` when whoever is behind it ended over it.
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

    /// Starts again what ended; a cloud does so by itself.
    pub fn revive(&self) {
        if let Kind::Local(node) = &self.kind {
            node.revive();
        }
    }

    /// Sends a request to a signed address. A node's are at its public address, behind which it is.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn object(&self, request: ObjectRequest) -> Answer {
        self.try_object(request).await.expect("an answer")
    }

    /// The same; `None` when whoever is behind the address ended over it.
    pub async fn try_object(&self, mut request: ObjectRequest) -> Option<Answer> {
        Some(match &self.kind {
            Kind::Memory(reference) => reference.memory().artifacts.answer(&request),
            Kind::Local(node) => {
                request.url = request.url.replacen(PUBLIC_URL, &node.origin(), 1);
                return send_to_address(&node.client, request).await.ok();
            }
            Kind::Shipped(node) => return send_to_address(&node.client, request).await.ok(),
            Kind::Aws(surface, _) => surface.object(request).await,
            Kind::Azure(surface, _) => surface.object(request).await,
        })
    }

    /// Lets the surface complete the upload of an object that was created.
    pub async fn created(&self, path: &ObjectPath) {
        match &self.kind {
            Kind::Memory(reference) => reference.service.ingest(path).await.unwrap(),
            Kind::Local(node) => node.drain(),
            Kind::Shipped(node) => node.completed(path).await,
            Kind::Aws(surface, _) => surface.created(&path.to_string()).await,
            Kind::Azure(surface, _) => surface.created(&path.to_string()).await,
        }
    }

    /// Publishes and mails everything that was committed.
    pub async fn publish(&self) {
        match &self.kind {
            Kind::Memory(reference) => publish(&reference.service).await,
            Kind::Local(node) => node.drain(),
            Kind::Shipped(node) => node.drain().await,
            Kind::Aws(surface, _) => surface.publish().await,
            Kind::Azure(surface, _) => surface.publish().await,
        }
    }

    /// The events published since the last time.
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

    /// Finishes what was interrupted. `wm serve` does so by itself, once a minute.
    pub async fn sweep(&self) {
        match &self.kind {
            Kind::Memory(reference) => reference.sweep().await,
            Kind::Local(node) => node.ask("sweep"),
            Kind::Shipped(_) => {}
            Kind::Aws(surface, _) => surface.sweep().await,
            Kind::Azure(surface, _) => surface.sweep().await,
        }
    }

    /// Every scope in which something is stored.
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn scopes(&self) -> BTreeSet<String> {
        match &self.kind {
            Kind::Memory(reference) => reference.scopes().collect(),
            Kind::Local(Node { data, .. }) | Kind::Shipped(Shipped { data, .. }) => data.scopes(),
            Kind::Aws(surface, _) => surface.resources.partitions().await,
            Kind::Azure(surface, _) => surface.resources.partitions().await,
        }
    }

    /// Everything that is stored in a scope, in order.
    ///
    /// # Panics
    /// When it cannot be read.
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

    /// An ID token of whoever has this address, good from this time on.
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

    /// An access token of whoever has this address, good from this time on, which shows the address or does not.
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

    /// An access token that was good once.
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

    /// The last lines a program printed, for messages.
    #[must_use]
    pub fn last_lines(&self) -> String {
        match &self.kind {
            Kind::Memory(_) | Kind::Local(_) | Kind::Shipped(_) => String::new(),
            Kind::Aws(surface, _) => surface.api().last_lines(),
            Kind::Azure(surface, _) => surface.host.last_lines(),
        }
    }
}
