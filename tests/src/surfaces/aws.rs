//! The AWS surface: the real functions behind a Runtime API, over the shared ministack.
//!
//! The tests trigger the transport between services, which AWS does by itself: they pass the stream
//! to `relay`, the events of the bus to `notify`, and created objects to `ingest`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::Client;
use serde_json::Value;
use tokio::sync::OnceCell;
use wm_core::{http::Request, record::CloudEvent, value::Timestamp};
use wm_service::clock::now;

use crate::{
    client::{object_request, send_object},
    emulators::ministack::{Credentials, Ministack},
    harness::{Answer, Harness, ObjectRequest, Signing},
    issuer::TestIssuer,
    key_server::KeyServer,
    lambda::{Function, Outcome, Settings},
    process,
    surfaces::people::People,
};

pub mod bus;
pub mod cognito;
pub mod event;
pub mod resources;
pub mod stream;

use cognito::Pool;
use event::Front;
use resources::Resources;

/// A bucket of another object store, whose root key equals ministack's.
#[derive(Debug, Clone)]
pub struct Storage {
    pub url: String,
    pub bucket: String,
}

/// The options of a surface under test.
#[derive(Debug, Clone)]
pub struct Options {
    /// The front of `api`.
    pub front: Front,
    /// The number of instances of `api`.
    pub instances: usize,
    /// The timeout of an invocation of `api`: that of an HTTP API of API Gateway.
    pub timeout: Duration,
    /// Whether the bucket keeps every version of an object, like the deployed one.
    pub versioned: bool,
    /// An object store other than ministack's.
    pub storage: Option<Storage>,
    /// Additional environment variables, which take precedence.
    pub environment: Vec<(String, String)>,
    /// A program that replaces every function. Lambda's environment tells it which function it is.
    pub program: Option<PathBuf>,
    /// The id and the secret of a surface that exists already.
    pub surface: Option<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            front: Front::ApiGateway,
            instances: 3,
            timeout: Duration::from_secs(29),
            versioned: true,
            storage: None,
            environment: Vec::new(),
            program: None,
            surface: None,
        }
    }
}

/// The harness over the functions.
pub struct AwsSurface {
    /// Its table, bucket, bus, queue, sender and secret.
    pub resources: Resources,
    /// The server of its key set.
    pub keys: KeyServer,
    /// The user pool whose tokens it accepts.
    pub pool: &'static Pool,
    options: Options,
    /// `api` is always started. The others start on first use.
    api: Function,
    functions: [OnceCell<Function>; 4],
    client: Client,
    people: People,
    /// The objects that `ingest` was notified of.
    notified: Mutex<BTreeSet<String>>,
    stream: tokio::sync::Mutex<stream::Stream>,
    carried: Mutex<Vec<CloudEvent>>,
}

/// The functions other than `api`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// From the table's stream to the bus.
    Relay,
    /// From created objects to completion.
    Ingest,
    /// From the bus to mail.
    Notify,
    /// On a schedule.
    Sweep,
}

impl Behind {
    fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Ingest => "ingest",
            Self::Notify => "notify",
            Self::Sweep => "sweep",
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AwsSurface {
    /// Starts a separate surface on the shared ministack.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// Starts a surface with these options.
    pub async fn with(options: Options) -> Self {
        // First, because a build may outlast the stream's iterators.
        if options.program.is_none() {
            process::binary("api");
        }
        let resources = Resources::create(Ministack::shared(), &options).await;
        let pool = Pool::shared();
        let keys = KeyServer::start(pool.jwks().to_string().into_bytes()).await;
        let stream = stream::Stream::open(&resources).await;
        let environment = environment(&resources, &keys, &options);
        let api = Function::start(settings("api", &environment, &options)).await;
        Self {
            resources,
            keys,
            pool,
            options,
            api,
            functions: Default::default(),
            client: Client::builder().no_proxy().build().unwrap(),
            people: People::default(),
            notified: Mutex::default(),
            stream: tokio::sync::Mutex::new(stream),
            carried: Mutex::default(),
        }
    }

    /// The function that answers requests.
    pub fn api(&self) -> &Function {
        &self.api
    }

    /// Another function, started on first use.
    pub async fn function(&self, which: Behind) -> &Function {
        let start = || async {
            let environment = environment(&self.resources, &self.keys, &self.options);
            Function::start(settings(which.name(), &environment, &self.options)).await
        };
        self.functions[which as usize].get_or_init(start).await
    }

    /// Sends a request unchanged, for any token.
    pub async fn send(&self, front: Front, request: &Request) -> Answer {
        match self.api.invoke(&front.event(request)).await {
            Outcome::Answered(answer) => front.answer(&answer),
            Outcome::Failed(_) | Outcome::Died | Outcome::TimedOut => front.failure(),
        }
    }

    /// The stream since the last read, as `relay` gets it.
    pub async fn stream(&self) -> tokio::sync::MutexGuard<'_, stream::Stream> {
        self.stream.lock().await
    }

    /// Passes committed changes to `relay`. Returns whether there were any.
    async fn relay(&self) -> bool {
        let mut stream = self.stream.lock().await;
        stream.read(&self.resources).await;
        if stream.waiting.is_empty() {
            return false;
        }
        let relay = self.function(Behind::Relay).await;
        stream.deliver(relay).await;
        true
    }

    /// Takes the bus events off the queue, passes each to `notify` and keeps it.
    async fn notify(&self) -> bool {
        let events = bus::drain(&self.resources).await;
        for event in &events {
            let detail = event["detail"].clone();
            lock(&self.carried).push(serde_json::from_value(detail).unwrap());
            let notify = self.function(Behind::Notify).await;
            deliver(notify, event).await;
        }
        !events.is_empty()
    }

    /// Takes the changes and objects so far as processed by functions of an earlier time.
    pub async fn skip_changes(&self) {
        let mut stream = self.stream.lock().await;
        stream.read(&self.resources).await;
        stream.waiting.clear();
        let objects = self.resources.objects().await;
        lock(&self.notified).extend(objects);
    }

    /// Notifies `ingest` of a created object.
    pub async fn created(&self, key: &str) {
        let created = event::object_created(&self.resources.bucket, key);
        deliver(self.function(Behind::Ingest).await, &created).await;
    }

    /// The subjects and texts of all mails to an address, oldest first.
    pub async fn messages(&self, to: &str) -> Vec<(String, String)> {
        let page = self.resources.cloud.page("/_ministack/ses/messages").await;
        let messages = page["messages"].as_object().unwrap().values();
        let text = |message: &Value, name: &str| message[name].as_str().unwrap().to_owned();
        messages
            .flat_map(|messages| messages.as_array().unwrap())
            .filter(|message| message["Source"] == self.resources.sender)
            .filter(|message| message["To"].as_array().unwrap().contains(&to.into()))
            .map(|message| (text(message, "Subject"), text(message, "BodyText")))
            .collect()
    }

    /// Publishes and mails until no work is pending.
    pub async fn publish(&self) {
        while self.relay().await | self.notify().await {}
    }

    /// The events since the last call.
    pub fn take_events(&self) -> Vec<CloudEvent> {
        std::mem::take(&mut lock(&self.carried))
    }

    /// Notifies `ingest` of every new object in the bucket.
    async fn ingest(&self) -> bool {
        let objects = self.resources.objects().await;
        let is_new = |key: &String| lock(&self.notified).insert(key.clone());
        let created: Vec<String> = objects.into_iter().filter(is_new).collect();
        for key in &created {
            self.created(key).await;
        }
        !created.is_empty()
    }
}

/// The number of deliveries before an event becomes a dead letter: one and Lambda's two retries.
const DELIVERIES: usize = 3;

/// Delivers an event like an asynchronous invocation.
async fn deliver(function: &Function, event: &Value) {
    for _ in 0..DELIVERIES {
        if let Outcome::Answered(_) = function.invoke(event).await {
            return;
        }
    }
    panic!("{event} became a dead letter: {}", function.last_lines());
}

fn settings(name: &str, environment: &[(String, String)], options: &Options) -> Settings {
    let is_api = name == "api";
    Settings {
        name: name.into(),
        program: match &options.program {
            Some(program) => program.clone(),
            None => process::binary(name),
        },
        environment: environment.to_vec(),
        instances: if is_api { options.instances } else { 1 },
        timeout: if is_api {
            options.timeout
        } else {
            Duration::from_secs(60)
        },
    }
}

fn environment(
    resources: &Resources,
    keys: &KeyServer,
    options: &Options,
) -> Vec<(String, String)> {
    let mut environment = resources.environment();
    let cognito = [
        ("AWS_COGNITO_USER_POOL", cognito::POOL),
        ("AWS_COGNITO_CLIENTS", cognito::CLIENT),
        ("AWS_COGNITO_TRUSTS_EMAIL", "true"),
        ("AWS_COGNITO_JWKS_URL", &keys.url),
    ];
    environment.extend(cognito.map(|(name, value)| (name.to_owned(), value.to_owned())));
    environment.extend(options.environment.iter().cloned());
    environment
}

impl Signing for AwsSurface {
    fn issuer(&self) -> &TestIssuer {
        &self.pool.access
    }

    /// Signed with the root key, which the functions use too.
    async fn signed_at(
        &self,
        plan: &Value,
        size: usize,
        time: Timestamp,
    ) -> Result<ObjectRequest, &'static str> {
        let request = object_request(plan, Vec::new());
        let host = request.url.split('/').nth(2).unwrap().to_owned();
        let mut bound: BTreeMap<String, String> = request.headers.iter().cloned().collect();
        bound.insert("host".into(), host);
        bound.insert("content-length".into(), size.to_string());
        let root = Credentials::root();
        let url = root.presigned_at(time, &request.method, &request.url, &bound);
        Ok(ObjectRequest { url, ..request })
    }
}

impl Harness for AwsSurface {
    fn name(&self) -> &'static str {
        "aws"
    }

    async fn call(&self, request: Request) -> Answer {
        let id_token = |email: &str| self.id_token(email);
        let send = |request| async move { self.send(Front::ApiGateway, &request).await };
        self.people.introduce(&request, id_token, send).await;
        self.send(self.options.front, &request).await
    }

    async fn object(&self, request: ObjectRequest) -> Answer {
        let mut answer = send_object(&self.client, request).await;
        if answer.status == 501 && self.options.storage.is_some() {
            // s3s gives another answer to an unknown algorithm or service. S3 answers 400.
            answer.status = 400;
        }
        answer
    }

    /// ministack accepts any algorithm and an empty signature. S3 and s3s do not
    /// (`clouds::uploads`). ministack ignores `response-content-disposition` for a versioned
    /// object, but not if the bucket keeps no versions.
    fn known_limitations(&self) -> &[&str] {
        match (&self.options.storage, self.options.versioned) {
            (None, true) => &[
                "check an algorithm and an empty signature",
                "serve as attachment",
            ],
            (None, false) => &["check an algorithm and an empty signature"],
            (Some(_), true) => &["serve as attachment"],
            (Some(_), false) => &[],
        }
    }

    fn access_token(&self, email: &str) -> String {
        let token = self
            .pool
            .access
            .sign(&self.pool.access_claims(email, now()));
        self.people.remember(&token, email);
        token
    }

    fn id_token(&self, email: &str) -> String {
        self.pool.id.sign(&self.pool.id_claims(email, now()))
    }

    fn expired_token(&self, email: &str) -> String {
        let issued = Timestamp::from_millis(now().millis() - 2 * 60 * 60 * 1000);
        self.pool
            .access
            .sign(&self.pool.access_claims(email, issued))
    }

    /// Runs until no work is pending: commits of `notify` and `ingest` go through the stream again.
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
        let messages = self.messages(to).await;
        messages.into_iter().map(|(_, text)| text).collect()
    }

    async fn sweep(&self) {
        let sweep = self.function(Behind::Sweep).await;
        sweep.invoke(&event::sample("schedule")).await.answer();
    }

    fn pass(&self, _: Duration) -> Result<(), &'static str> {
        Err("the clock of the functions cannot be set")
    }
}
