//! azurite: a Blob Storage over TLS that accepts tokens, and signatures as of version 2026-04-06.

use std::{
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::OffsetDateTime,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use reqwest::{Certificate, Client, header::CONTENT_LENGTH};
use serde_json::json;
use tempfile::TempDir;
use wm_service::clock::now;

mod signature;

use super::free_port;
use crate::{issuer::TestIssuer, process::Companion, tools};

/// The only account of azurite.
pub const ACCOUNT: &str = "devstoreaccount1";
/// The audience of tokens for Blob Storage.
pub const AUDIENCE: &str = "https://storage.azure.com";
/// The tenant and the object in its tokens.
const TENANT: &str = "5d0b7a52-3c1e-4f6b-9a58-2f6f0c9f4d11";
const OBJECT: &str = "c6a4b3f0-8b1d-4a67-9d83-7e5d2f1a9b22";

/// A running azurite, in memory.
#[derive(Debug)]
pub struct Azurite {
    process: Companion,
    /// The URL of the account, without a trailing slash.
    pub url: String,
    directory: TempDir,
    certificate: String,
}

impl Azurite {
    /// Starts azurite on a free port of loopback with a new certificate.
    #[must_use]
    pub fn start() -> Self {
        let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
        let (authority, certificate, key) = certificates();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        file(AUTHORITY, &authority);
        let mut command = Command::new("node");
        command.arg(tools::azurite());
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        command.args(["--oauth", "basic", "--inMemoryPersistence"]);
        command.args(["--disableTelemetry", "--disableProductStyleUrl"]);
        command
            .arg("--cert")
            .arg(file("certificate.pem", &certificate));
        command.arg("--key").arg(file("key.pem", &key));
        let process = Companion::start(&command, "successfully listens on");
        Self {
            process: process.unwrap_or_else(|printed| panic!("azurite does not start: {printed}")),
            url: format!("https://127.0.0.1:{port}/{ACCOUNT}"),
            directory,
            certificate: authority,
        }
    }

    /// The file of the authority that signed its certificate, for `SSL_CERT_FILE`.
    #[must_use]
    pub fn authority(&self) -> std::path::PathBuf {
        self.directory.path().join(AUTHORITY)
    }

    /// A client that trusts the server and follows no redirect.
    #[must_use]
    pub fn client(&self) -> Client {
        let authority = Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        Client::builder()
            .tls_certs_only([authority])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
    }

    /// Creates a private container.
    pub async fn container(&self, name: &str) {
        let answer = self
            .client()
            .put(format!("{}/{name}?restype=container", self.url))
            .bearer_auth(token())
            .header("x-ms-version", "2026-04-06")
            .header(CONTENT_LENGTH, "0")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }

    /// Stores a blob.
    pub async fn put(&self, container: &str, path: &str, bytes: &[u8]) {
        let answer = self
            .client()
            .put(format!("{}/{container}/{path}", self.url))
            .bearer_auth(token())
            .header("x-ms-version", "2026-04-06")
            .header("x-ms-blob-type", "BlockBlob")
            .body(bytes.to_vec())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }

    /// The number of logged requests whose first line contains both texts.
    #[must_use]
    pub fn logged(&self, method: &str, target: &str) -> usize {
        let output = self.process.output();
        let lines = output.lines();
        lines
            .filter(|line| line.contains(method) && line.contains(target))
            .count()
    }
}

const AUTHORITY: &str = "authority.pem";

/// The certificates of an authority and of loopback, and the key of the latter.
fn certificates() -> (String, String, String) {
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, "the tests' own authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap();
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

/// A token that is valid for an hour.
#[must_use]
pub fn token() -> String {
    token_of(TENANT, OBJECT)
}

/// A token of this tenant's identity. azurite does not check its signature.
fn token_of(tenant: &str, object: &str) -> String {
    let issuer = TestIssuer::ec(&format!("https://sts.windows.net/{tenant}/"), "key-1");
    let seconds = now().millis() / 1000;
    issuer.sign(&json!({
        "aud": AUDIENCE,
        "iss": issuer.name,
        "iat": seconds - 60,
        "nbf": seconds - 60,
        "exp": seconds + 3600,
        "oid": object,
        "sub": object,
        "tid": tenant,
    }))
}

/// An identity with all rights.
#[derive(Debug, Default)]
pub struct AllRights {
    token_requests: AtomicUsize,
}

impl AllRights {
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The number of token requests.
    pub fn token_requests(&self) -> usize {
        self.token_requests.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl TokenCredential for AllRights {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.token_requests.fetch_add(1, Ordering::SeqCst);
        let end = OffsetDateTime::now_utc() + Duration::from_mins(55);
        Ok(AccessToken::new(token(), end))
    }
}
