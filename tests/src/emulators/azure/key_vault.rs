//! A Key Vault. It answers a request without a token with a challenge, and returns one secret.
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret>

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::json;

use super::{
    managed_identity::{self, principal},
    server::{Received, Reply, Server},
};

const AUDIENCE: &str = "https://vault.azure.net";

#[derive(Clone)]
pub struct KeyVault {
    /// The recorded requests and the faults.
    pub server: Server,
    secrets: Arc<Mutex<BTreeMap<String, String>>>,
}

impl KeyVault {
    pub async fn start() -> Self {
        let secrets = Arc::<Mutex<BTreeMap<String, String>>>::default();
        let kept = secrets.clone();
        let server =
            Server::over_tls(move |received| answer(&kept.lock().unwrap(), received)).await;
        Self { server, secrets }
    }

    pub fn set(&self, name: &str, value: &str) {
        let mut secrets = self.secrets.lock().unwrap();
        secrets.insert(name.to_owned(), value.to_owned());
    }

    pub fn remove(&self, name: &str) {
        self.secrets.lock().unwrap().remove(name);
    }
}

fn answer(secrets: &BTreeMap<String, String>, received: &Received) -> Reply {
    if principal(received, AUDIENCE).is_err() {
        let tenant = managed_identity::TENANT;
        let challenge = format!(
            r#"Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="{AUDIENCE}""#
        );
        return Reply::error(401, "Unauthorized").with("www-authenticate", challenge);
    }
    if received.method != "GET" || received.query("api-version").is_none() {
        return Reply::error(400, "BadParameter");
    }
    let name = received.path().strip_prefix("/secrets/");
    let name = name.map(|name| name.trim_end_matches('/'));
    match name.and_then(|name| secrets.get_key_value(name)) {
        None => Reply::error(404, "SecretNotFound"),
        Some((name, value)) => {
            let id = format!(
                "https://wm.vault.azure.net/secrets/{name}/0123456789abcdef0123456789abcdef"
            );
            Reply::json(
                200,
                &json!({ "value": value, "id": id, "attributes": { "enabled": true } }),
            )
        }
    }
}
