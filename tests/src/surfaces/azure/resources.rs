//! The Azure resources of one surface, in their deployed shapes and with unique names.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    client::{object_request, send_object},
    emulators::{
        azure::{
            AzureCloud, SECRET,
            authority::Authority,
            managed_identity,
            server::{Behaviour, Reply, Server},
        },
        azurite::{self, Azurite},
        cosmos::{Cosmos, DATABASE},
    },
    harness::{Answer, ObjectRequest},
    surfaces::aws::event::sample,
};
use reqwest::{Client, Method};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Mutex;
use wm_core::value::Timestamp;

pub struct Resources {
    cosmos: Database,
    azurite: &'static Azurite,
    services: AzureCloud,
    /// The name of its two containers, for items and for documents.
    name: String,
    client: Client,
    /// The continuation of the change feed.
    mark: Mutex<Value>,
    /// The number of delivered events of the topic.
    delivered: AtomicUsize,
    trusted: TempDir,
}

/// The database account.
enum Database {
    /// The account that all tests share.
    Shared,
    /// A separate account whose faults affect no other test.
    Own(Cosmos),
}

/// The store that all tests of a program share. Each has its own container.
fn azurite() -> &'static Azurite {
    static SHARED: OnceLock<Azurite> = OnceLock::new();
    SHARED.get_or_init(Azurite::start)
}

impl Resources {
    /// Creates all resources. With a separate database account, faults can be injected.
    pub async fn create(own_database: bool) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("wm-test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let cosmos = if own_database {
            Database::Own(Cosmos::start("Strong"))
        } else {
            Database::Shared
        };
        let azurite = azurite();
        let resources = Self {
            cosmos,
            azurite,
            services: AzureCloud::start().await,
            client: azurite.client(),
            mark: Mutex::new(Value::Null),
            delivered: AtomicUsize::new(0),
            trusted: trusted(azurite),
            name,
        };
        resources.cosmos().trust(&managed_identity::jwks());
        tokio::join!(
            resources.cosmos().container(&resources.name, 1),
            azurite.container(&resources.name),
        );
        resources
    }

    fn cosmos(&self) -> &Cosmos {
        match &self.cosmos {
            Database::Shared => Cosmos::shared(),
            Database::Own(cosmos) => cosmos,
        }
    }

    /// The environment of the handler.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut environment = self.services.environment();
        let trusted = self.certificates();
        let own = [
            ("AZURE_COSMOS_ACCOUNT", "wm-test-cosmos"),
            ("AZURE_COSMOS_ENDPOINT", &self.cosmos().url),
            ("AZURE_COSMOS_DATABASE", DATABASE),
            ("AZURE_COSMOS_CONTAINER", &self.name),
            ("AZURE_STORAGE_ACCOUNT", azurite::ACCOUNT),
            ("AZURE_STORAGE_ENDPOINT", &self.azurite.url),
            ("AZURE_STORAGE_CONTAINER", &self.name),
            ("SSL_CERT_FILE", trusted.to_str().unwrap()),
        ];
        environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment
    }

    /// The certificates that clients of the store must trust.
    pub fn certificates(&self) -> PathBuf {
        self.trusted.path().join(TRUSTED)
    }

    /// Sends a request to a signed URL.
    pub async fn object(&self, request: ObjectRequest) -> Answer {
        send_object(&self.client, request).await
    }

    /// The request of an upload plan, as signed at another time.
    pub async fn signed_at(&self, plan: &Value, size: usize, time: Timestamp) -> ObjectRequest {
        let request = object_request(plan, Vec::new());
        let url = self.azurite.signed_at(time, &request, size).await;
        ObjectRequest { url, ..request }
    }

    /// The changes of the container since the last call, as the change feed returns them.
    pub async fn changes(&self) -> Vec<Value> {
        let mut mark = self.mark.lock().await;
        let (documents, now) = self.cosmos().changes(&self.name, &mark).await;
        *mark = now;
        documents
    }

    /// Stores a document in the container of items.
    pub async fn put_document(&self, document: &Value) {
        self.cosmos().put(&self.name, document).await;
    }

    /// Stores a blob in the container of documents.
    pub async fn put_blob(&self, path: &str, bytes: &[u8]) {
        self.azurite.put(&self.name, path, bytes).await;
    }

    /// Every partition of the container.
    pub async fn partitions(&self) -> BTreeSet<String> {
        let (documents, _) = self.cosmos().changes(&self.name, &Value::Null).await;
        let partitions = documents.iter();
        partitions
            .map(|document| document["pk"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The names of all blobs in the container, in order.
    pub async fn blobs(&self) -> Vec<String> {
        let url = format!(
            "{}/{}?restype=container&comp=list",
            self.azurite.url, self.name
        );
        let listing = self.client.get(url).bearer_auth(azurite::token());
        let answer = listing
            .header("x-ms-version", "2026-04-06")
            .send()
            .await
            .unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{text}");
        assert!(text.contains("<NextMarker/>") || text.contains("<NextMarker></NextMarker>"));
        let names = text.split("<Name>").skip(1);
        let name = |text: &str| text.split("</Name>").next().unwrap().replace("&amp;", "&");
        names.map(name).collect()
    }

    /// The Event Grid event about a blob in the container.
    #[must_use]
    pub fn blob_created(&self, path: &str) -> Value {
        let mut event = sample("blob-created");
        let place = format!("{}/blobs/{path}", self.name);
        event["subject"] = format!("/blobServices/default/containers/{place}").into();
        event["data"]["url"] = format!("{}/{}/{path}", self.azurite.url, self.name).into();
        event
    }

    /// The events of the topic since the last call.
    pub fn events(&self) -> Vec<Value> {
        let events = self.services.topic.events();
        let before = self.delivered.swap(events.len(), Ordering::SeqCst);
        events.into_iter().skip(before).collect()
    }

    /// The texts of all mails to an address, oldest first.
    pub fn mails(&self, to: &str) -> Vec<String> {
        let messages = self.messages(to);
        messages.into_iter().map(|(_, text)| text).collect()
    }

    /// The subjects and texts of all mails to an address, oldest first.
    pub fn messages(&self, to: &str) -> Vec<(String, String)> {
        let mails = self.services.mail.mails().into_iter();
        mails
            .filter(|mail| mail.to() == to)
            .map(|mail| (mail.subject().to_owned(), mail.text().to_owned()))
            .collect()
    }

    /// The values that no log may contain: the secret and the credentials of the process.
    pub fn secrets(&self) -> Vec<String> {
        let environment = self.services.identity.environment();
        let header = environment
            .into_iter()
            .find(|(name, _)| name == "IDENTITY_HEADER");
        vec![SECRET.to_owned(), header.unwrap().1]
    }

    /// Takes the topic down or up.
    pub fn break_topic(&self, down: bool) {
        broken(&self.services.topic.server, down);
    }

    /// Takes the mail service down or up.
    pub fn break_mail(&self, down: bool) {
        broken(&self.services.mail.server, down);
    }

    /// Takes the vault down or up.
    pub fn break_vault(&self, down: bool) {
        broken(&self.services.vault.server, down);
    }

    /// Injects a fault into calls to the container.
    pub async fn inject(&self, fault: Value) {
        assert!(
            matches!(self.cosmos, Database::Own(_)),
            "faults would strike other tests"
        );
        self.cosmos().fail(&fault).await;
    }

    /// The number of requests that will still fail.
    pub async fn faults_left(&self) -> u64 {
        let left = self
            .cosmos()
            .control(Method::GET, "faults", &Value::Null)
            .await;
        left["left"].as_u64().unwrap()
    }

    /// Removes all pending faults and returns the number of requests that they would still have
    /// hit.
    pub async fn clear_faults(&self) -> u64 {
        self.cosmos().clear_faults().await
    }

    /// The number of calls of this operation so far.
    pub async fn calls(&self, operation: &str) -> u64 {
        let requests = self.cosmos().requests(&self.name).await;
        let of_it = requests
            .iter()
            .filter(|request| request["operation"] == operation);
        of_it.count() as u64
    }
}

fn broken(server: &Server, down: bool) {
    server.always(if down {
        Behaviour::Answers(Reply::error(503, "ServiceUnavailable"))
    } else {
        Behaviour::Normal
    });
}

const TRUSTED: &str = "trusted.pem";

/// The certificates of all services that the handler connects to.
fn trusted(azurite: &Azurite) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let files: [PathBuf; 2] = [Authority::shared().trusted.clone(), azurite.authority()];
    let texts = files.map(|file| fs::read_to_string(file).unwrap());
    fs::write(directory.path().join(TRUSTED), texts.concat()).unwrap();
    directory
}
