//! A complete node, from start to shutdown.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that cannot go on fails its test"
)]

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use ulid::Ulid;
use wm_core::{
    operation::{Batch, TokenUsage},
    record::{self, Author, Clock, Record},
    storage::{Condition, Operation, Scope},
    value::{CommitId, Sha256, SurfaceId, id::Id},
};
use wm_local::{
    clock::now,
    config::Config,
    data_directory::Layout,
    identity::Issuer,
    node::{Node, StartError},
    records::SqliteRecords,
};
use wm_service::ports::Records;

fn config(directory: &Path) -> Config {
    Config {
        data: directory.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..Config::default()
    }
}

/// A node and its people.
struct Fixture {
    directory: TempDir,
    node: Node,
    client: Client,
}

impl Fixture {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let node = Node::start(config(directory.path())).await.unwrap();
        Self {
            directory,
            node,
            client: Client::new(),
        }
    }

    fn token(&self, email: &str) -> String {
        let key = Layout::new(self.directory.path()).issuer_key();
        let issuer = Issuer::open(&key).unwrap();
        let email = email.parse().unwrap();
        issuer
            .mint(TokenUsage::Access, &email, None, now())
            .unwrap()
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Response {
        let url = format!("{}{path}", self.node.public_url());
        let request = self.client.request(method, url);
        let request = request.bearer_auth(self.token("ana@example.com"));
        request.json(&body).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.send(Method::POST, path, body).await;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.send(Method::GET, path, json!({})).await;
        answer.json().await.unwrap()
    }

    async fn account(&self) -> String {
        let account = self.post("/v1/accounts", json!({ "name": "A", "kind": "personal" }));
        account.await["id"].as_str().unwrap().to_owned()
    }

    async fn put(&self, plan: &Value, bytes: &[u8]) {
        let mut request = self.client.put(plan["url"].as_str().unwrap());
        for (name, value) in plan["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let answer = request.body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), 201);
    }
}

/// Waits until a condition holds, for at most the second that the contract allows.
async fn within_a_second(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "no {what} within a second"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn events_and_mails_appear_within_a_second_of_the_commit() {
    let fixture = Fixture::start().await;
    let account = fixture.account().await;
    let layout = Layout::new(fixture.directory.path());
    let events = || fs::read_to_string(layout.events()).unwrap();
    within_a_second("event", || events().contains("wm.account.created")).await;
    let invitation = json!({ "email": "ben@example.com", "role": "member" });
    fixture
        .post(&format!("/v1/accounts/{account}/invitations"), invitation)
        .await;
    let mails = || fs::read_dir(layout.mail().join("new")).unwrap();
    within_a_second("mail", || mails().count() == 1).await;
    let mail = fs::read_to_string(mails().next().unwrap().unwrap().path()).unwrap();
    assert!(
        mail.contains("To: ben@example.com") && mail.contains("token="),
        "{mail}"
    );
    fixture.node.shutdown().await;
}

#[tokio::test]
async fn file_is_uploaded_verified_and_downloaded() {
    let fixture = Fixture::start().await;
    let account = fixture.account().await;
    let project = json!({ "name": "P", "visibility": "private" });
    let project = fixture
        .post(&format!("/v1/accounts/{account}/projects"), project)
        .await;
    let artifacts = format!("/v1/projects/{}/artifacts", project["id"].as_str().unwrap());
    let bytes = b"some bytes";
    let declared = json!({
        "name": "a b.txt",
        "media_type": "text/plain",
        "size": bytes.len(),
        "sha256": Sha256::of(bytes).to_string(),
    });
    let made = fixture.post(&artifacts, declared).await;
    let artifact = made["artifact"]["id"].as_str().unwrap();
    let version = format!("{artifacts}/{artifact}/versions/1");
    fixture.put(&made["upload"], bytes).await;
    let completed = fixture
        .post(&format!("{version}/complete"), json!({}))
        .await;
    assert_eq!(completed["status"], "available", "{completed}");
    let download = fixture
        .post(&format!("{version}/download"), json!({}))
        .await;
    let answer = fixture
        .client
        .get(download["url"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.bytes().await.unwrap(), bytes.as_slice());
    fixture.node.shutdown().await;
}

#[tokio::test]
async fn upload_is_completed_by_the_arrival_of_its_bytes() {
    let fixture = Fixture::start().await;
    let account = fixture.account().await;
    let project = json!({ "name": "P", "visibility": "private" });
    let project = fixture
        .post(&format!("/v1/accounts/{account}/projects"), project)
        .await;
    let artifacts = format!("/v1/projects/{}/artifacts", project["id"].as_str().unwrap());
    let declared = json!({
        "name": "a.txt",
        "media_type": "text/plain",
        "size": 1,
        "sha256": Sha256::of(b"x").to_string(),
    });
    let made = fixture.post(&artifacts, declared).await;
    fixture.put(&made["upload"], b"x").await;
    let artifact = made["artifact"]["id"].as_str().unwrap();
    let begun = Instant::now();
    loop {
        let versions = fixture
            .get(&format!("{artifacts}/{artifact}/versions"))
            .await;
        if versions["items"][0]["status"] == "available" {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{versions}");
    }
    fixture.node.shutdown().await;
}

#[tokio::test]
async fn person_keeps_their_id_across_restarts() {
    let fixture = Fixture::start().await;
    let before = fixture.get("/v1/session").await["user"].clone();
    let Fixture {
        directory,
        node,
        client,
    } = fixture;
    node.shutdown().await;
    let node = Node::start(config(directory.path())).await.unwrap();
    let fixture = Fixture {
        directory,
        node,
        client,
    };
    let after = fixture.get("/v1/session").await["user"].clone();
    assert_eq!(before["id"], after["id"]);
    assert!(before["id"].is_string(), "{before}");
    fixture.node.shutdown().await;
}

#[tokio::test]
async fn listen_address_in_use_suggests_another() {
    let fixture = Fixture::start().await;
    let other = tempfile::tempdir().unwrap();
    let listen = fixture.node.address();
    let error = Node::start(Config {
        listen,
        ..config(other.path())
    })
    .await
    .unwrap_err();
    assert!(matches!(error, StartError::AddressTaken { .. }));
    assert!(error.to_string().contains("--listen"), "{error}");
    // A node that could not start creates no files.
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
    fixture.node.shutdown().await;
}

#[tokio::test]
async fn case_67_second_node_on_one_directory_is_refused() {
    let fixture = Fixture::start().await;
    let error = Node::start(config(fixture.directory.path()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    fixture.node.shutdown().await;
}

#[tokio::test]
async fn case_63_partial_files_of_a_crash_are_removed_unserved() {
    let directory = tempfile::tempdir().unwrap();
    let incoming = Layout::new(directory.path()).incoming();
    let parts = incoming
        .join("parts")
        .join("0123456789abcdef0123456789abcdef");
    fs::create_dir_all(&parts).unwrap();
    fs::write(incoming.join("half"), "half").unwrap();
    fs::write(parts.join("1"), "a part whose upload goes on").unwrap();
    let node = Node::start(config(directory.path())).await.unwrap();
    assert!(!incoming.join("half").exists());
    assert!(parts.join("1").exists());
    node.shutdown().await;
}

#[tokio::test]
async fn dependencies_of_a_new_node_answer() {
    let fixture = Fixture::start().await;
    let url = format!("{}/health/ready", fixture.node.public_url());
    let answer = fixture.client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    fixture.node.shutdown().await;
}

#[tokio::test]
async fn case_68_data_of_a_newer_layout_is_not_served() {
    let fixture = Fixture::start().await;
    fixture.node.shutdown().await;
    let path = Layout::new(fixture.directory.path()).database();
    let store = SqliteRecords::open(&path).unwrap();
    let surface = SurfaceId::first(Ulid::nil());
    let newer = record::Layout {
        number: record::Layout::CURRENT + 1,
        ..record::Layout::default()
    };
    let clock = Clock::default().advanced(surface);
    let newer = Record::new(surface, newer, clock, now(), Author::System).encode();
    let commit_id = CommitId::from_ulid(Ulid::nil());
    let put = vec![Operation::Put(newer, Condition::Absent)];
    store
        .commit(&Batch::unchecked(Scope::Surface, commit_id, put))
        .await
        .unwrap();
    drop(store);
    let refused = Node::start(config(fixture.directory.path()))
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("Run the newer release"),
        "{refused}"
    );
}
