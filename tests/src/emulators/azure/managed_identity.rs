//! The endpoint that issues managed identity tokens to a process on App Service, and the check of
//! those tokens in the other emulators.
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::OffsetDateTime,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};
use serde_json::{Value, json};
use wm_service::clock::now;

use super::server::{Behaviour, Received, Reply, Server};
use crate::issuer::TestIssuer;

/// The tenant of the resources. It is not the tenant where people sign in.
pub const TENANT: &str = "6b1f7a52-0c3d-4e8f-9a10-2b3c4d5e6f70";
/// The issuer of version 1 tokens, in the format of Entra.
pub const ISSUER: &str = "https://sts.windows.net/6b1f7a52-0c3d-4e8f-9a10-2b3c4d5e6f70/";
/// The principal of the system-assigned identity.
pub const SYSTEM_PRINCIPAL: &str = "11111111-2222-4333-8444-555555555555";
/// The secret header value that proves that the request comes from the process itself.
const HEADER: &str = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a";
/// The default lifetime of tokens.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// An issued token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The audience.
    pub resource: String,
    /// The client id of the requested identity, or none for the system-assigned identity.
    pub client_id: Option<String>,
}

#[derive(Clone)]
pub struct ManagedIdentity {
    /// The recorded requests and the faults.
    pub server: Server,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The principals of the assigned identities, by client id.
    assigned: BTreeMap<String, String>,
    lifetime: Duration,
    given: Vec<IssuedToken>,
}

impl ManagedIdentity {
    /// An endpoint with the system-assigned identity only.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            assigned: BTreeMap::new(),
            lifetime: LIFETIME,
            given: Vec::new(),
        }));
        let answering = state.clone();
        let server =
            Server::plain(move |received| answering.lock().unwrap().answer(received)).await;
        Self { server, state }
    }

    /// The environment variables that App Service sets.
    pub fn environment(&self) -> Vec<(String, String)> {
        let endpoint = format!("{}/msi/token", self.server.origin);
        vec![
            ("IDENTITY_ENDPOINT".into(), endpoint),
            ("IDENTITY_HEADER".into(), HEADER.into()),
        ]
    }

    /// Assigns an identity to the process. Its principal is its client id reversed.
    pub fn assign(&self, client_id: &str) {
        let principal = client_id.chars().rev().collect();
        let mut state = self.state.lock().unwrap();
        state.assigned.insert(client_id.to_owned(), principal);
    }

    /// Sets the lifetime of new tokens. The SDKs request a new token five minutes before the end.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state.lock().unwrap().lifetime = lifetime;
    }

    /// Fails every request with this status. With `None`, it answers again.
    pub fn fail_with(&self, status: Option<u16>) {
        self.server.always(match status {
            Some(status) => Behaviour::Answers(Reply::error(status, "unavailable")),
            None => Behaviour::Normal,
        });
    }

    /// All issued tokens.
    pub fn given(&self) -> Vec<IssuedToken> {
        self.state.lock().unwrap().given.clone()
    }

    /// The number of requests of any kind.
    pub fn requests(&self) -> usize {
        self.server.received().len()
    }
}

/// The key that signs the tokens of this test program, shared because it is slow to generate.
fn signer() -> &'static TestIssuer {
    static SHARED: OnceLock<TestIssuer> = OnceLock::new();
    SHARED.get_or_init(|| TestIssuer::rsa(ISSUER, "managed-identity"))
}

/// The public key as a key set (RFC 7517), to verify the tokens of this test program.
pub fn jwks() -> Value {
    signer().jwks()
}

/// A token with this lifetime for a resource, such as `https://storage.azure.com`.
pub fn token(resource: &str, principal: &str, lifetime: Duration) -> String {
    let seconds = now().millis() / 1000;
    let lifetime = i64::try_from(lifetime.as_secs()).unwrap();
    signer().sign(&json!({
        "aud": resource,
        "iss": ISSUER,
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + lifetime,
        "appid": principal,
        "appidacr": "2",
        "idp": ISSUER,
        "oid": principal,
        "sub": principal,
        "tid": TENANT,
        "ver": "1.0",
    }))
}

/// Acts as a principal without a request to the endpoint, for adapters in the test process.
#[derive(Debug, Clone)]
pub struct ActingAs(pub &'static str);

#[async_trait::async_trait]
impl TokenCredential for ActingAs {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let resource = scopes[0].strip_suffix("/.default").unwrap();
        let token = token(resource, self.0, LIFETIME);
        let expires = OffsetDateTime::now_utc() + LIFETIME;
        Ok(AccessToken::new(token, expires))
    }
}

/// The principal in the bearer token of a request. The token must have this audience.
///
/// # Errors
///
/// A description of what is wrong with the request.
pub fn principal(received: &Received, audience: &str) -> Result<String, &'static str> {
    let header = received.header("authorization").ok_or("no authorization")?;
    let token = header.strip_prefix("Bearer ").ok_or("no bearer token")?;
    let key: Jwk = serde_json::from_value(signer().jwk()).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    // Clients write the same resource with and without the slash.
    rules.set_audience(&[audience, &format!("{audience}/")]);
    rules.set_issuer(&[ISSUER]);
    rules.leeway = 0;
    let key = DecodingKey::from_jwk(&key).unwrap();
    let token = jsonwebtoken::decode::<Value>(token, &key, &rules);
    let token = token.map_err(|_| "a token that is for something else, expired or forged")?;
    Ok(token.claims["oid"].as_str().unwrap().to_owned())
}

impl State {
    fn answer(&mut self, received: &Received) -> Reply {
        if received.method != "GET" || received.path() != "/msi/token" {
            return Reply::error(404, "not_found");
        }
        if received.header("x-identity-header") != Some(HEADER) {
            return Reply::error(401, "unauthorized");
        }
        if received.query("api-version").as_deref() != Some("2019-08-01") {
            return Reply::error(400, "unsupported_api_version");
        }
        let Some(resource) = received.query("resource") else {
            return Reply::error(400, "invalid_resource");
        };
        let client_id = received.query("client_id");
        let principal = match &client_id {
            None => Some(SYSTEM_PRINCIPAL.to_owned()),
            Some(id) => self.assigned.get(id).cloned(),
        };
        let Some(principal) = principal else {
            return Reply::error(400, "identity_not_found");
        };
        let expires = now().after(self.lifetime).millis() / 1000;
        let reply = json!({
            "access_token": token(&resource, &principal, self.lifetime),
            // This member is text, unlike in other token responses.
            "expires_on": expires.to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id.as_deref().unwrap_or(SYSTEM_PRINCIPAL),
        });
        self.given.push(IssuedToken {
            resource,
            client_id,
        });
        Reply::json(200, &reply)
    }
}
