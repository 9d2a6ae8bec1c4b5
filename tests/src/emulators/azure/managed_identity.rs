//! The endpoint from which a process on App Service gets tokens for its managed identity, and the check
//! of those tokens that the other emulators make.
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

use super::server::{Asked, Behaviour, Said, Server};
use crate::issuer::TestIssuer;

/// The tenant the resources are in, which is not the one people sign in to.
pub const TENANT: &str = "6b1f7a52-0c3d-4e8f-9a10-2b3c4d5e6f70";
/// The issuer of the tokens, as Entra has it for tokens of version 1.
pub const ISSUER: &str = "https://sts.windows.net/6b1f7a52-0c3d-4e8f-9a10-2b3c4d5e6f70/";
/// The principal of the identity that belongs to the process.
pub const SYSTEM_PRINCIPAL: &str = "11111111-2222-4333-8444-555555555555";
/// What proves to the endpoint that it is asked by its own process.
const HEADER: &str = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a";
/// How long tokens are good unless a test says otherwise.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A token that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What it is for: its audience.
    pub resource: String,
    /// The identity that was asked for; none for the system's own.
    pub client_id: Option<String>,
}

/// The endpoint.
#[derive(Clone)]
pub struct ManagedIdentity {
    /// What it was asked, and how it fails.
    pub server: Server,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Principals of the identities assigned to the process, by client id.
    assigned: BTreeMap<String, String>,
    lifetime: Duration,
    given: Vec<Given>,
}

impl ManagedIdentity {
    /// An endpoint that knows the system's own identity and none besides.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            assigned: BTreeMap::new(),
            lifetime: LIFETIME,
            given: Vec::new(),
        }));
        let answering = state.clone();
        let server = Server::plain(move |asked| answering.lock().unwrap().answer(asked)).await;
        Self { server, state }
    }

    /// The variables App Service gives a process.
    pub fn environment(&self) -> Vec<(String, String)> {
        let endpoint = format!("{}/msi/token", self.server.origin);
        vec![
            ("IDENTITY_ENDPOINT".into(), endpoint),
            ("IDENTITY_HEADER".into(), HEADER.into()),
        ]
    }

    /// Assigns an identity to the process. Its principal is its client id backwards.
    pub fn assign(&self, client_id: &str) {
        let principal = client_id.chars().rev().collect();
        let mut state = self.state.lock().unwrap();
        state.assigned.insert(client_id.to_owned(), principal);
    }

    /// Gives out tokens that are good this long. The kits ask for a new one five minutes before the end.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state.lock().unwrap().lifetime = lifetime;
    }

    /// Fails every request with this status, or answers again.
    pub fn fail_with(&self, status: Option<u16>) {
        self.server.always(match status {
            Some(status) => Behaviour::Says(Said::error(status, "unavailable")),
            None => Behaviour::Well,
        });
    }

    /// Every token it gave.
    pub fn given(&self) -> Vec<Given> {
        self.state.lock().unwrap().given.clone()
    }

    /// How often it was asked for whatever.
    pub fn requests(&self) -> usize {
        self.server.asked().len()
    }
}

/// The key that signs the tokens of this test program: it takes a while to make.
fn signer() -> &'static TestIssuer {
    static SHARED: OnceLock<TestIssuer> = OnceLock::new();
    SHARED.get_or_init(|| TestIssuer::rsa(ISSUER, "managed-identity"))
}

/// The public key, as the set of keys (RFC 7517) of which the tokens of this test program can be checked.
pub fn jwks() -> Value {
    signer().jwks()
}

/// A token for a resource, such as `https://storage.azure.com`, that is good this long.
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

/// Acts as a principal without asking the endpoint, for adapters in the process of the test.
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

/// Who asks: the principal in the bearer token of a request, if the token is for this audience.
///
/// # Errors
/// What is wrong with the request.
pub fn principal(asked: &Asked, audience: &str) -> Result<String, &'static str> {
    let header = asked.header("authorization").ok_or("no authorization")?;
    let token = header.strip_prefix("Bearer ").ok_or("no bearer token")?;
    let key: Jwk = serde_json::from_value(signer().jwk()).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    // The same resource is written with and without the slash.
    rules.set_audience(&[audience, &format!("{audience}/")]);
    rules.set_issuer(&[ISSUER]);
    rules.leeway = 0;
    let key = DecodingKey::from_jwk(&key).unwrap();
    let token = jsonwebtoken::decode::<Value>(token, &key, &rules);
    let token = token.map_err(|_| "a token that is for something else, expired or forged")?;
    Ok(token.claims["oid"].as_str().unwrap().to_owned())
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Said {
        if asked.method != "GET" || asked.path() != "/msi/token" {
            return Said::error(404, "not_found");
        }
        if asked.header("x-identity-header") != Some(HEADER) {
            return Said::error(401, "unauthorized");
        }
        if asked.query("api-version").as_deref() != Some("2019-08-01") {
            return Said::error(400, "unsupported_api_version");
        }
        let Some(resource) = asked.query("resource") else {
            return Said::error(400, "invalid_resource");
        };
        let client_id = asked.query("client_id");
        let principal = match &client_id {
            None => Some(SYSTEM_PRINCIPAL.to_owned()),
            Some(id) => self.assigned.get(id).cloned(),
        };
        let Some(principal) = principal else {
            return Said::error(400, "identity_not_found");
        };
        let expires = now().after(self.lifetime).millis() / 1000;
        let said = json!({
            "access_token": token(&resource, &principal, self.lifetime),
            // Text, unlike everywhere else.
            "expires_on": expires.to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id.as_deref().unwrap_or(SYSTEM_PRINCIPAL),
        });
        self.given.push(Given {
            resource,
            client_id,
        });
        Said::json(200, &said)
    }
}
