//! Cosmos DB: the emulator of the official SDK as a service that verifies tokens and fails on
//! demand.

use std::{
    fs,
    process::Command,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    time::{OffsetDateTime, to_rfc7231},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use wm_service::clock::now;

use crate::{
    issuer::TestIssuer,
    process::{self, Companion},
};

/// The audience of tokens for the service.
pub const AUDIENCE: &str = "https://cosmos.azure.com";
pub const DATABASE: &str = "workspace";

/// A running service with one account.
#[derive(Debug)]
pub struct Cosmos {
    _process: Companion,
    /// The URL, with a trailing `/`.
    pub url: String,
    client: Client,
    files: TempDir,
    /// The trusted key sets.
    keys: Mutex<Vec<Value>>,
}

impl Cosmos {
    /// The service of this test program, with the consistency Strong. Its tests share it and each
    /// creates its own container. It accepts the tokens of [`identity`]. [`Cosmos::trust`] adds
    /// others.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cosmos> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("Strong"))
    }

    /// Starts a service with this consistency level.
    #[must_use]
    pub fn start(consistency: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let keys = files.path().join("keys.json");
        fs::write(&keys, identity().jwks().to_string()).unwrap();
        let mut command = Command::new(process::binary("cosmos"));
        command.arg("--keys").arg(&keys);
        command.args(["--consistency", consistency]);
        let process = Companion::start(&command, "cosmos answers at ");
        let process = process.unwrap_or_else(|printed| panic!("cosmos does not start: {printed}"));
        let printed = process.output();
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60));
        Self {
            url: printed.split_whitespace().last().unwrap().to_owned(),
            _process: process,
            // Each test has its own runtime, and a connection must not outlive it.
            client: client.pool_max_idle_per_host(0).build().unwrap(),
            files,
            keys: Mutex::new(vec![identity().jwk()]),
        }
    }

    /// Accepts the tokens of this key set too.
    pub fn trust(&self, keys: &Value) {
        let mut trusted = self.keys.lock().unwrap();
        trusted.extend(keys["keys"].as_array().unwrap().iter().cloned());
        let written = self.files.path().join("keys.new");
        fs::write(&written, json!({ "keys": *trusted }).to_string()).unwrap();
        fs::rename(written, self.files.path().join("keys.json")).unwrap();
    }

    /// Sends a request to the control interface, which the real service does not have.
    pub async fn control(&self, method: Method, what: &str, body: &Value) -> Value {
        let url = format!("{}_control/{what}", self.url);
        let request = self.client.request(method, url).body(body.to_string());
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Creates the database and a container with this number of physical partitions.
    pub async fn container(&self, name: &str, partitions: u32) {
        let wanted = json!({ "database": DATABASE, "container": name, "partitions": partitions });
        self.control(Method::POST, "containers", &wanted).await;
    }

    /// Stores a document in a container with the partition key `/pk`.
    /// <https://learn.microsoft.com/rest/api/cosmos-db/create-a-document>
    pub async fn put(&self, container: &str, document: &Value) {
        let token = token(identity(), AUDIENCE, 3600);
        let answer = self
            .client
            .post(format!("{}dbs/{DATABASE}/colls/{container}/docs", self.url))
            .header(
                "authorization",
                format!("type%3Daad%26ver%3D1.0%26sig%3D{token}"),
            )
            .header("x-ms-date", to_rfc7231(&OffsetDateTime::now_utc()))
            .header("x-ms-version", "2020-07-15")
            .header(
                "x-ms-documentdb-partitionkey",
                json!([document["pk"]]).to_string(),
            )
            .header("x-ms-documentdb-is-upsert", "true")
            .json(document)
            .send()
            .await
            .unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
    }

    /// Adds a fault: `{kind, operation?, path?, skip?, times?, status?, substatus?, milliseconds?,
    /// operations?}`. Kinds are `delay`, `status`, `status-after`, `drop` and `drop-after`.
    /// Operations are `read`, `query`, `write`, `batch` and `metadata`.
    pub async fn fail(&self, fault: &Value) {
        self.control(Method::POST, "faults", fault).await;
    }

    /// Removes all faults and returns the number of requests that they would still have hit.
    pub async fn clear_faults(&self) -> u64 {
        let left = self.control(Method::GET, "faults", &Value::Null).await;
        self.control(Method::DELETE, "faults", &Value::Null).await;
        left["left"].as_u64().unwrap()
    }

    /// The requests so far whose path contains this text, as `{method, path, operation, status,
    /// charge}`.
    pub async fn requests(&self, path: &str) -> Vec<Value> {
        let all = self.control(Method::GET, "requests", &Value::Null).await;
        let all = all["requests"].as_array().unwrap().iter();
        all.filter(|request| request["path"].as_str().unwrap().contains(path))
            .cloned()
            .collect()
    }

    /// The changes of a container after a continuation, which begins as null, and the next
    /// continuation. The documents have the format of the change feed.
    pub async fn changes(&self, container: &str, mark: &Value) -> (Vec<Value>, Value) {
        let wanted = json!({ "database": DATABASE, "container": container, "mark": mark });
        let changes = self.control(Method::POST, "changes", &wanted).await;
        let documents = changes["documents"].as_array().unwrap().clone();
        (documents, changes["mark"].clone())
    }
}

/// The signer of this test program's tokens for the service.
pub fn identity() -> &'static TestIssuer {
    static SHARED: OnceLock<TestIssuer> = OnceLock::new();
    SHARED.get_or_init(|| TestIssuer::rsa("https://sts.windows.net/tests/", "cosmos"))
}

/// A token for this audience that expires in this number of seconds. A negative number gives an
/// expired token.
#[must_use]
pub fn token(signer: &TestIssuer, audience: &str, seconds: i64) -> String {
    let now = now().millis() / 1000;
    signer.sign(&json!({
        "iss": signer.name,
        "aud": audience,
        "oid": "11111111-2222-4333-8444-555555555555",
        "nbf": now - 60,
        "exp": now + seconds,
    }))
}

/// A credential with one fixed token.
#[derive(Debug)]
pub struct OneToken(String);

impl OneToken {
    /// A token that the service accepts.
    #[must_use]
    pub fn good() -> Arc<Self> {
        Self::of(token(identity(), AUDIENCE, 3600))
    }

    #[must_use]
    pub fn of(token: String) -> Arc<Self> {
        Arc::new(Self(token))
    }
}

#[async_trait::async_trait]
impl TokenCredential for OneToken {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let until = OffsetDateTime::now_utc() + Duration::from_secs(3600);
        Ok(AccessToken::new(Secret::new(self.0.clone()), until))
    }
}
