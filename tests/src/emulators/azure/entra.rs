//! An Entra External ID tenant: a discovery document, its keys, and the tokens of version 2 that it
//! signs.

use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value, json};
use wm_core::value::{Sha256, Timestamp};

use super::server::{Received, Reply, Server};
use crate::issuer::TestIssuer;

/// The tenant where people sign in.
pub const TENANT: &str = "0d2e7c1a-9b34-4f58-8c67-1e2f3a4b5c6d";
pub const ISSUER: &str = "https://0d2e7c1a-9b34-4f58-8c67-1e2f3a4b5c6d.ciamlogin.com/0d2e7c1a-9b34-4f58-8c67-1e2f3a4b5c6d/v2.0";
/// The application of the API.
pub const API: &str = "3f6a1b2c-4d5e-4f60-8a7b-9c0d1e2f3a4b";
/// The client application.
pub const CLIENT: &str = "7b8c9d0e-1f2a-4b3c-9d4e-5f6a7b8c9d0e";

#[derive(Clone)]
pub struct Entra {
    /// The recorded requests and the faults.
    pub server: Server,
    documents: Arc<Mutex<Documents>>,
}

struct Documents {
    discovery: Option<Value>,
    keys: Value,
}

impl Entra {
    /// A tenant with one key.
    pub async fn start() -> Self {
        let documents = Arc::new(Mutex::new(Documents {
            discovery: None,
            keys: signer().jwks(),
        }));
        let answering = documents.clone();
        let server =
            Server::over_tls(move |received| answering.lock().unwrap().answer(received)).await;
        Self { server, documents }
    }

    /// The environment variables with which a handler accepts its tokens.
    pub fn environment(&self) -> Vec<(String, String)> {
        let clients = format!("{API},{CLIENT}");
        [
            ("AZURE_ENTRA_ISSUER", ISSUER),
            ("AZURE_ENTRA_TENANT", TENANT),
            ("AZURE_ENTRA_CLIENTS", &clients),
            ("AZURE_ENTRA_DISCOVERY_URL", &self.discovery_url()),
            ("AZURE_ENTRA_TRUSTS_EMAIL", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    pub fn discovery_url(&self) -> String {
        format!("{}{DISCOVERY}", self.server.origin)
    }

    pub fn jwks_url(&self) -> String {
        format!("{}{KEYS}", self.server.origin)
    }

    pub fn set_discovery(&self, document: Value) {
        self.documents.lock().unwrap().discovery = Some(document);
    }

    pub fn set_keys(&self, keys: Value) {
        self.documents.lock().unwrap().keys = keys;
    }

    /// The number of requests for its keys.
    pub fn key_requests(&self) -> usize {
        let received = self.server.received();
        received
            .iter()
            .filter(|received| received.path() == KEYS)
            .count()
    }
}

const DISCOVERY: &str =
    "/0d2e7c1a-9b34-4f58-8c67-1e2f3a4b5c6d/v2.0/.well-known/openid-configuration";
const KEYS: &str = "/0d2e7c1a-9b34-4f58-8c67-1e2f3a4b5c6d/discovery/v2.0/keys";

impl Documents {
    fn answer(&self, received: &Received) -> Reply {
        let host = received.header("host").unwrap_or_default();
        let discovery = || {
            json!({
                "issuer": ISSUER,
                "jwks_uri": format!("https://{host}{KEYS}"),
                "id_token_signing_alg_values_supported": ["RS256"],
                "subject_types_supported": ["pairwise"],
            })
        };
        match (received.method.as_str(), received.path()) {
            ("GET", DISCOVERY) => {
                Reply::json(200, &self.discovery.clone().unwrap_or_else(discovery))
            }
            ("GET", KEYS) => Reply::json(200, &self.keys),
            _ => Reply::error(404, "NotFound"),
        }
    }
}

/// The tenant's key, shared by this test program because it is slow to generate.
pub fn signer() -> &'static TestIssuer {
    static SHARED: OnceLock<TestIssuer> = OnceLock::new();
    SHARED.get_or_init(|| TestIssuer::rsa(ISSUER, "entra-key"))
}

/// A valid access token for the person with this e-mail address.
pub fn access_token(email: &str, now: Timestamp) -> String {
    signer().sign(&access_claims(email, now))
}

/// A valid ID token for the person with this e-mail address.
pub fn id_token(email: &str, now: Timestamp) -> String {
    signer().sign(&id_claims(email, now))
}

/// The claims of a valid access token: its audience is the API, and it has no e-mail address.
pub fn access_claims(email: &str, now: Timestamp) -> Value {
    let mut claims = claims(email, API, now);
    claims["azp"] = CLIENT.into();
    claims["azpacr"] = "0".into();
    claims["scp"] = "workspace.access".into();
    claims
}

/// The claims of a valid ID token: its audience is the client, and its optional claims contain the
/// e-mail address.
pub fn id_claims(email: &str, now: Timestamp) -> Value {
    let mut claims = claims(email, CLIENT, now);
    claims["email"] = email.into();
    claims["xms_edov"] = true.into();
    claims["name"] = email.split('@').next().into();
    claims["nonce"] = "678910".into();
    claims["preferred_username"] = email.into();
    claims
}

fn claims(email: &str, audience: &str, now: Timestamp) -> Value {
    let seconds = now.millis() / 1000;
    json!({
        "aud": audience,
        "iss": ISSUER,
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + 3600,
        "oid": object_id(email),
        // The subject differs per application, as in Entra.
        "sub": Sha256::of(format!("{audience} {email}").as_bytes()).to_string(),
        "tid": TENANT,
        "uti": "Zm9vYmFyYmF6cXV4",
        "ver": "2.0",
    })
}

/// The object id of the person with this e-mail address, always the same.
pub fn object_id(email: &str) -> String {
    let digest = Sha256::of(email.as_bytes()).to_string();
    let part = |from: usize, to: usize| &digest[from..to];
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
