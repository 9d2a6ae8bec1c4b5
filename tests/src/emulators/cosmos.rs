//! Cosmos DB: the emulator of the official kit as a service, which verifies tokens and fails on demand.

use std::{
    fs,
    process::Command,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    time::OffsetDateTime,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use wm_service::clock::now;

use crate::{
    issuer::TestIssuer,
    process::{self, Companion},
};

/// What tokens for the service are for.
pub const AUDIENCE: &str = "https://cosmos.azure.com";
pub const DATABASE: &str = "workspace";

/// A running service with one account.
#[derive(Debug)]
pub struct Cosmos {
    _process: Companion,
    /// Where it answers, ending in `/`.
    pub url: String,
    client: Client,
    files: TempDir,
    /// The key sets whose tokens count.
    keys: Mutex<Vec<Value>>,
}

impl Cosmos {
    /// The one of this test program, at Strong, which its tests share: each makes a container of its own. It
    /// takes the tokens of [`identity`]; whoever has others says so with [`Cosmos::trust`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cosmos> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("Strong"))
    }

    /// A new one, at this level of consistency.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(consistency: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let keys = files.path().join("keys.json");
        fs::write(&keys, identity().jwks().to_string()).unwrap();
        let mut command = Command::new(process::binary("cosmos"));
        command.arg("--keys").arg(&keys);
        command.args(["--consistency", consistency]);
        let process = Companion::start(&command, "cosmos answers at ");
        let process = process.unwrap_or_else(|said| panic!("cosmos does not start: {said}"));
        let said = process.output();
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60));
        Self {
            url: said.split_whitespace().last().unwrap().to_owned(),
            _process: process,
            // Tests have a runtime each, and a connection must not outlive its own.
            client: client.pool_max_idle_per_host(0).build().unwrap(),
            files,
            keys: Mutex::new(vec![identity().jwk()]),
        }
    }

    /// Takes the tokens of this key set too.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn trust(&self, keys: &Value) {
        let mut trusted = self.keys.lock().unwrap();
        trusted.extend(keys["keys"].as_array().unwrap().iter().cloned());
        let written = self.files.path().join("keys.new");
        fs::write(&written, json!({ "keys": *trusted }).to_string()).unwrap();
        fs::rename(written, self.files.path().join("keys.json")).unwrap();
    }

    /// Asks for something that the service itself has not.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn control(&self, method: Method, what: &str, body: &Value) -> Value {
        let url = format!("{}_control/{what}", self.url);
        let request = self.client.request(method, url).body(body.to_string());
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Makes a container over as many physical partitions, and the database.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn container(&self, name: &str, partitions: u32) {
        let wanted = json!({ "database": DATABASE, "container": name, "partitions": partitions });
        self.control(Method::POST, "containers", &wanted).await;
    }

    /// Adds a fault: `{kind, operation?, path?, skip?, times?, status?, substatus?, milliseconds?,
    /// operations?}`. Kinds are `delay`, `status`, `status-after`, `drop` and `drop-after`; operations `read`,
    /// `query`, `write`, `batch` and `metadata`.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn fail(&self, fault: &Value) {
        self.control(Method::POST, "faults", fault).await;
    }

    /// Fails no more, answering how many faults met no request.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn calm(&self) -> u64 {
        let left = self.control(Method::GET, "faults", &Value::Null).await;
        self.control(Method::DELETE, "faults", &Value::Null).await;
        left["left"].as_u64().unwrap()
    }

    /// The requests so far whose path has this in it, as `{method, path, operation, status, charge}`.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn requests(&self, path: &str) -> Vec<Value> {
        let all = self.control(Method::GET, "requests", &Value::Null).await;
        let all = all["requests"].as_array().unwrap().iter();
        all.filter(|request| request["path"].as_str().unwrap().contains(path))
            .cloned()
            .collect()
    }

    /// What changed in a container behind a mark, which begins as null, and the mark behind that: the
    /// documents as the change feed has them.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn changes(&self, container: &str, mark: &Value) -> (Vec<Value>, Value) {
        let wanted = json!({ "database": DATABASE, "container": container, "mark": mark });
        let changes = self.control(Method::POST, "changes", &wanted).await;
        let documents = changes["documents"].as_array().unwrap().clone();
        (documents, changes["mark"].clone())
    }
}

/// Who signs the tokens of this test program for the service.
pub fn identity() -> &'static TestIssuer {
    static SHARED: OnceLock<TestIssuer> = OnceLock::new();
    SHARED.get_or_init(|| TestIssuer::rsa("https://sts.windows.net/tests/", "cosmos"))
}

/// A token for this audience that is good for as many seconds, or was.
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

/// A credential with one token.
#[derive(Debug)]
pub struct OneToken(String);

impl OneToken {
    /// One that the service takes.
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
