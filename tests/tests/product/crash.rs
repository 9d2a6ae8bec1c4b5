//! The real program, killed under load and restarted on its data.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Response};
use serde_json::{Value, json};
use wm_core::{operation::TokenUsage, value::Sha256};
use wm_local::{clock::now, data_directory::Layout, identity::Issuer};
use wm_tests::{client::declaration, process::Served};

/// The number of kills.
const ROUNDS: usize = 10;
/// The number of concurrent clients.
const CLIENTS: usize = 8;
/// The size of an upload: large enough for a kill in the middle.
const SIZE: usize = 300_000;

/// A caller of a node.
#[derive(Clone)]
struct Caller {
    client: Client,
    token: String,
    url: String,
}

impl Caller {
    fn new(data: &Path, url: &str) -> Self {
        let issuer = Issuer::open(&Layout::new(data).issuer_key()).unwrap();
        let email = "ana@example.com".parse().unwrap();
        Self {
            client: Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(30))
                .build()
                .unwrap(),
            token: issuer
                .mint(TokenUsage::Access, &email, None, now())
                .unwrap(),
            url: url.into(),
        }
    }

    /// `None` if the node died during the request.
    async fn post(&self, path: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
        let url = format!("{}{path}", self.url);
        let request = self.client.post(url).bearer_auth(&self.token);
        let request = request.header("idempotency-key", key).json(body);
        read(request.send().await.ok()?).await
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.url);
        let request = self.client.get(url).bearer_auth(&self.token);
        let (status, body) = read(request.send().await.unwrap()).await.unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn put(&self, plan: &Value, bytes: Vec<u8>) -> Option<u16> {
        let mut request = self.client.put(plan["url"].as_str().unwrap());
        for (name, value) in plan["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        Some(request.body(bytes).send().await.ok()?.status().as_u16())
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit=200{cursor}")).await;
            rows.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}

async fn read(response: Response) -> Option<(u16, Value)> {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.ok()?;
    Some((
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    ))
}

/// The requests and answers of the clients, by key.
#[derive(Default)]
struct Log {
    /// Every sent event, with its id once acknowledged.
    events: BTreeMap<String, Option<String>>,
    /// Every declared document, with its id once acknowledged.
    documents: BTreeMap<String, Option<String>>,
    /// The documents whose completion was acknowledged.
    completed: Vec<String>,
}

fn bytes(key: &str) -> Vec<u8> {
    key.bytes().cycle().take(SIZE).collect()
}

/// The objects that the clients write to.
#[derive(Clone)]
struct Paths {
    project: String,
    events: String,
}

fn event(key: &str) -> Value {
    json!({ "kind": "note", "text": key })
}

/// Writes until the node dies: events, and a document every fourth time.
async fn load(caller: Caller, paths: Paths, log: Arc<Mutex<Log>>, next: Arc<AtomicU64>) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let key = format!("key-{number}");
        let alive = if number.is_multiple_of(4) {
            document(&caller, &paths, &log, &key).await
        } else {
            log.lock().unwrap().events.insert(key.clone(), None);
            let answer = caller.post(&paths.events, &key, &event(&key)).await;
            answer.map(|(status, body)| {
                assert_eq!(status, 201, "{body}");
                let id = body["id"].as_str().unwrap().to_owned();
                log.lock().unwrap().events.insert(key.clone(), Some(id));
            })
        };
        if alive.is_none() {
            return;
        }
    }
}

async fn document(caller: &Caller, paths: &Paths, log: &Mutex<Log>, key: &str) -> Option<()> {
    log.lock().unwrap().documents.insert(key.into(), None);
    let path = format!("{}/artifacts", paths.project);
    let body = declaration(key, &bytes(key));
    let (status, made) = caller.post(&path, key, &body).await?;
    assert_eq!(status, 201, "{made}");
    let id = made["artifact"]["id"].as_str().unwrap().to_owned();
    log.lock()
        .unwrap()
        .documents
        .insert(key.into(), Some(id.clone()));
    assert_eq!(caller.put(&made["upload"], bytes(key)).await?, 201);
    let complete = format!("{path}/{id}/versions/1/complete");
    let (status, body) = caller.post(&complete, key, &json!({})).await?;
    assert_eq!(
        (status, &body["status"]),
        (200, &json!("available")),
        "{body}"
    );
    log.lock().unwrap().completed.push(id);
    Some(())
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The invariants after every restart.
async fn check(caller: &Caller, data: &Path, paths: &Paths, account: &str, log: &Mutex<Log>) {
    let left = files(&Layout::new(data).incoming());
    assert!(left.is_empty(), "half-written files are left: {left:?}");
    for scope in [account, &paths.project] {
        let verified = caller.get(&format!("{scope}/journal/verification")).await;
        assert_eq!(verified["valid"], true, "{scope}: {verified}");
    }
    let (events, documents, completed) = {
        let log = log.lock().unwrap();
        (
            log.events.clone(),
            log.documents.clone(),
            log.completed.clone(),
        )
    };
    for (path, sent, name) in [
        (paths.events.clone(), &events, "text"),
        (format!("{}/artifacts", paths.project), &documents, "name"),
    ] {
        let mut there: BTreeMap<String, String> = BTreeMap::new();
        for row in caller.list(&path).await {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let earlier = there.insert(text(name), text("id"));
            assert_eq!(earlier, None, "made twice: {row}");
        }
        for (key, id) in sent {
            if let Some(id) = id {
                assert_eq!(there.get(key), Some(id), "acknowledged and lost: {key}");
            }
        }
        assert!(
            there
                .keys()
                .all(|key| sent.contains_key(key) || key == "first")
        );
    }
    whole(caller, paths, &documents, &completed).await;
}

/// Every completed upload is whole, including every acknowledged one.
async fn whole(
    caller: &Caller,
    paths: &Paths,
    documents: &BTreeMap<String, Option<String>>,
    completed: &[String],
) {
    for (key, id) in documents {
        let Some(id) = id else { continue };
        let version = format!("{}/artifacts/{id}/versions/1", paths.project);
        let status = caller.get(&version).await["status"].clone();
        let acknowledged = completed.contains(id);
        assert!(!acknowledged || status == "available", "{key} {status}");
        let (answer, address) = caller
            .post(&format!("{version}/download"), "download", &json!({}))
            .await
            .unwrap();
        if status != "available" {
            assert_eq!(answer, 409, "what is {status} is not served: {address}");
            continue;
        }
        let url = address["url"].as_str().unwrap();
        let downloaded = caller.client.get(url).send().await.unwrap();
        let downloaded = downloaded.bytes().await.unwrap();
        assert_eq!(Sha256::of(&downloaded), Sha256::of(&bytes(key)), "{key}");
    }
}

/// Repeats every unacknowledged request with its key.
async fn repeat(caller: &Caller, paths: &Paths, log: &Mutex<Log>) {
    let (events, documents) = {
        let log = log.lock().unwrap();
        (log.events.clone(), log.documents.clone())
    };
    for (key, _) in events.iter().filter(|(_, id)| id.is_none()) {
        let (status, first) = caller.post(&paths.events, key, &event(key)).await.unwrap();
        assert_eq!(status, 201, "{first}");
        let again = caller.post(&paths.events, key, &event(key)).await.unwrap();
        assert_eq!(first["id"], again.1["id"]);
        let id = first["id"].as_str().unwrap().to_owned();
        log.lock().unwrap().events.insert(key.clone(), Some(id));
    }
    let path = format!("{}/artifacts", paths.project);
    for (key, _) in documents.iter().filter(|(_, id)| id.is_none()) {
        let body = declaration(key, &bytes(key));
        let (status, made) = caller.post(&path, key, &body).await.unwrap();
        assert_eq!(status, 201, "{made}");
        let id = made["artifact"]["id"].as_str().unwrap().to_owned();
        log.lock().unwrap().documents.insert(key.clone(), Some(id));
    }
}

async fn prepare(caller: &Caller) -> (String, Paths) {
    let post = |path: String, body: Value| async move {
        let (status, made) = caller.post(&path, "first", &body).await.unwrap();
        assert_eq!(status, 201, "{made}");
        made
    };
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let account = json!({ "name": "Atelier", "kind": "organisation" });
    let account = id(&post("/v1/accounts".into(), account).await);
    let account = format!("/v1/accounts/{account}");
    let project = json!({ "name": "House", "visibility": "private" });
    let project = id(&post(format!("{account}/projects"), project).await);
    let project = format!("/v1/projects/{project}");
    let made = post(
        format!("{project}/artifacts"),
        declaration("first", b"first"),
    )
    .await;
    let events = format!("{project}/artifacts/{}/events", id(&made["artifact"]));
    (account, Paths { project, events })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_63_node_killed_under_load_keeps_what_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let log = Arc::new(Mutex::new(Log::default()));
    let next = Arc::new(AtomicU64::new(1));
    let mut node = Served::start(&data);
    let (account, paths) = prepare(&Caller::new(&data, &node.url)).await;
    let mut random = 63_u64;
    for _ in 0..ROUNDS {
        let caller = Caller::new(&data, &node.url);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (log, next) = (Arc::clone(&log), Arc::clone(&next));
                tokio::spawn(load(caller.clone(), paths.clone(), log, next))
            })
            .collect();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        tokio::time::sleep(Duration::from_millis(30 + (random >> 33) % 600)).await;
        node.kill();
        for client in clients {
            client.await.unwrap();
        }
        node = Served::start(&data);
        let caller = Caller::new(&data, &node.url);
        check(&caller, &data, &paths, &account, &log).await;
        repeat(&caller, &paths, &log).await;
    }
    let caller = Caller::new(&data, &node.url);
    check(&caller, &data, &paths, &account, &log).await;
    let log = log.lock().unwrap();
    assert!(
        log.events.len() > ROUNDS && !log.completed.is_empty(),
        "there was load"
    );
}
