//! An emulator of Azure on loopback: resource manager, storage accounts and a topic. It counts
//! writes and can stop answering at one.

use std::{
    collections::BTreeMap,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    http::{Request, Response},
    manager,
};

pub(crate) const SUBSCRIPTION: &str = "11112222-3333-4444-5555-666677778888";
pub(crate) const PERSON: &str = "99990000-aaaa-bbbb-cccc-ddddeeeeffff";

/// The services, by the scope of their tokens.
const SCOPES: [&str; 3] = [
    "https://management.azure.com/.default",
    "https://storage.azure.com/.default",
    "https://eventgrid.azure.net/.default",
];

/// A token for each service.
pub(crate) fn tokens() -> [(&'static str, String); 3] {
    SCOPES.map(|scope| (scope, token(scope)))
}

fn token(scope: &str) -> String {
    let claims = json!({ "oid": PERSON, "aud": scope }).to_string();
    format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims))
}

/// The write at which the cloud stops answering, before or after it is carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shut {
    pub(crate) writes: usize,
    pub(crate) seen: bool,
}

/// A blob with its properties.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blob {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Resources by lower-case id.
    pub(crate) resources: BTreeMap<String, Value>,
    /// The number of polls until an operation is done, by resource.
    pub(crate) operations: BTreeMap<String, usize>,
    /// Account names that belong to other subscriptions.
    pub(crate) taken: Vec<String>,
    /// Blobs by account, container and name.
    pub(crate) blobs: BTreeMap<String, Blob>,
    /// The published events.
    pub(crate) events: Vec<Value>,
    /// A word whose events are refused.
    pub(crate) refused: Option<&'static str>,
    /// The number of writes to throttle first.
    pub(crate) throttled: usize,
    /// The number of writes to refuse as conflicting with a running operation.
    pub(crate) busy: usize,
    /// The number of blob requests to refuse as forbidden.
    pub(crate) forbidden: usize,
    /// A part of the ids whose writes are accepted and then fail.
    pub(crate) fails: Option<&'static str>,
    /// Home directories in which deployments are recorded.
    homes: Vec<PathBuf>,
    writes: Vec<String>,
    shut: Option<Shut>,
}

#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    stopped: Receiver<()>,
}

impl Cloud {
    /// An empty cloud without provider registrations.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let (sender, stopped) = channel();
        let (shared, address) = (Arc::clone(&state), url.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (state, sender) = (Arc::clone(&shared), sender.clone());
                let address = address.clone();
                thread::spawn(move || serve(client, &address, &state, &sender));
            }
        });
        Self {
            url,
            state,
            stopped,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// All writes so far.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.state().writes.clone()
    }

    /// Forgets the writes, and answers from now on, or until `shut`.
    pub(crate) fn again(&self, shut: Option<Shut>) {
        let mut state = self.state();
        state.writes.clear();
        state.shut = shut;
    }

    /// Waits until a request arrives at the stopped cloud.
    pub(crate) fn wait(&self) {
        let timeout = Duration::from_secs(60);
        let stopped = self.stopped.recv_timeout(timeout);
        stopped.expect("no request came to the stopped cloud");
    }

    /// Includes the deployments that are recorded in this home directory.
    pub(crate) fn deployments_in(&self, home: &Path) {
        self.state().homes.push(home.to_owned());
    }

    /// A resource by the part of its id after `/subscriptions/…`.
    #[track_caller]
    pub(crate) fn resource(&self, id: &str) -> Value {
        let id = full(id);
        let found = self.state().resources.get(&id.to_lowercase()).cloned();
        found.unwrap_or_else(|| panic!("there is no {id}"))
    }

    /// Stores a resource without the program.
    pub(crate) fn put(&self, id: &str, resource: Value) {
        let id = full(id);
        let mut state = self.state();
        manager::store(&mut state, &self.url, &id, resource);
        state.operations.clear();
    }
}

/// The id of a resource in the subscription.
pub(crate) fn full(id: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}{id}")
}

impl State {
    /// The arguments of `az` for the last deployment of a name.
    pub(crate) fn deployed(&self, name: &str) -> Option<Vec<String>> {
        let files = self.homes.iter().rev();
        let mut files = files.map(|home| home.join(format!("deployed-{name}")));
        let file = files.find(|file| file.exists())?;
        let text = std::fs::read_to_string(file).unwrap();
        Some(text.lines().map(str::to_owned).collect())
    }
}

fn serve(mut client: TcpStream, url: &str, state: &Mutex<State>, sender: &Sender<()>) {
    let Some(request) = Request::read(&mut client) else {
        return;
    };
    let mut state = state.lock().unwrap();
    let mut stop = None;
    let is_write = manager::is_write(&request);
    if is_write {
        stop = state.shut.filter(|shut| state.writes.len() >= shut.writes);
        let write = format!("{} {}", request.method, manager::short(&request.path));
        state.writes.push(write);
    }
    if stop.is_some_and(|shut| !shut.seen) {
        drop(state);
        return park(client, sender);
    }
    if is_write && state.throttled > 0 {
        state.throttled -= 1;
        state.writes.pop();
        drop(state);
        return Response::error(429, "TooManyRequests", "later")
            .with("retry-after", "0")
            .send(&mut client, &request.method);
    }
    if is_write && state.busy > 0 {
        state.busy -= 1;
        state.writes.pop();
        drop(state);
        return Response::error(409, "AnotherOperationInProgress", "later")
            .send(&mut client, &request.method);
    }
    let response = answer(&mut state, url, &request);
    drop(state);
    if stop.is_some() {
        return park(client, sender);
    }
    response.send(&mut client, &request.method);
}

/// Holds a connection until the client closes it.
fn park(mut client: TcpStream, sender: &Sender<()>) {
    let _ = sender.send(());
    let _ = std::io::Read::read(&mut client, &mut [0]);
}

fn answer(state: &mut State, url: &str, request: &Request) -> Response {
    let [manager, storage, topic] = SCOPES.map(|scope| format!("Bearer {}", token(scope)));
    let (scope, service): (_, fn(&mut State, &str, &Request) -> Response) =
        match request.path.split('/').nth(1) {
            Some("blobs") => (storage, blobs),
            Some("topic") => (topic, events),
            _ => (manager, manager::answer),
        };
    if request.header("authorization") != scope {
        return Response::error(401, "InvalidAuthenticationToken", "not this token");
    }
    service(state, url, request)
}

fn blobs(state: &mut State, _: &str, request: &Request) -> Response {
    if request.header("x-ms-version").is_empty() {
        return Response::empty(400);
    }
    if state.forbidden > 0 {
        state.forbidden -= 1;
        return Response::empty(403);
    }
    let key = request.path.trim_start_matches("/blobs/").to_owned();
    if request.query.get("comp").map(String::as_str) == Some("list") {
        let prefix = format!("{key}/");
        let names = state
            .blobs
            .keys()
            .filter_map(|key| key.strip_prefix(&prefix));
        // Two per page, so that a program that reads only the first page fails.
        let marker = request.query.get("marker").cloned().unwrap_or_default();
        let names: Vec<&str> = names.filter(|name| **name > *marker).collect();
        let page = &names[..names.len().min(2)];
        let blob = |name: &&str| format!("<Blob><Name>{name}</Name></Blob>");
        let blobs: String = page.iter().map(blob).collect();
        let next = if names.len() > 2 { page[1] } else { "" };
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
        );
        return Response {
            body: body.into_bytes(),
            ..Response::empty(200)
        };
    }
    match (request.method.as_str(), state.blobs.get(&key).cloned()) {
        ("PUT", _) if request.header("x-ms-blob-type") != "BlockBlob" => Response::empty(400),
        ("PUT", _) => {
            let names = [
                ("x-ms-blob-content-type", "content-type"),
                ("x-ms-blob-cache-control", "cache-control"),
                ("x-ms-meta-sha256", "x-ms-meta-sha256"),
            ];
            let header =
                |(from, to): (&str, &str)| (to.to_owned(), request.header(from).to_owned());
            let headers = names.map(header).into_iter().collect();
            let body = request.body.clone();
            state.blobs.insert(key, Blob { headers, body });
            Response::empty(201)
        }
        (_, None) => Response::empty(404),
        ("DELETE", _) => {
            state.blobs.remove(&key);
            Response::empty(202)
        }
        (_, Some(blob)) => {
            let mut response = Response::empty(200).with("etag", "\"1\"");
            for name in ["content-type", "cache-control", "x-ms-meta-sha256"] {
                if let Some(value) = blob.headers.get(name) {
                    response = response.with(name, value.clone());
                }
            }
            response.body = blob.body;
            response
        }
    }
}

fn events(state: &mut State, _: &str, request: &Request) -> Response {
    let kind = "application/cloudevents-batch+json; charset=utf-8";
    let is_known = request.path == "/topic/api/events"
        && request.header("content-type") == kind
        && request.query.get("api-version").map(String::as_str) == Some("2018-01-01");
    let Value::Array(events) = request.json() else {
        return Response::error(400, "BadRequest", "no batch");
    };
    let whole = Value::from(events.clone()).to_string();
    if !is_known || state.refused.is_some_and(|word| whole.contains(word)) {
        return Response::error(400, "BadRequest", "not now");
    }
    state.events.extend(events);
    Response::empty(200)
}
