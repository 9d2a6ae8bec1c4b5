//! An App Configuration store that returns key-values.
//! <https://learn.microsoft.com/azure/azure-app-configuration/rest-api-key-value>

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use percent_encoding::percent_decode_str;
use serde_json::json;

use super::{
    managed_identity::principal,
    server::{Received, Reply, Server},
};

/// The audience of tokens for every store.
const AUDIENCE: &str = "https://azconfig.io";

#[derive(Clone)]
pub struct AppConfiguration {
    /// The recorded requests and the faults.
    pub server: Server,
    values: Arc<Mutex<BTreeMap<String, String>>>,
}

impl AppConfiguration {
    pub async fn start() -> Self {
        let values = Arc::<Mutex<BTreeMap<String, String>>>::default();
        let kept = values.clone();
        let server =
            Server::over_tls(move |received| answer(&kept.lock().unwrap(), received)).await;
        Self { server, values }
    }

    pub fn set(&self, key: &str, value: &str) {
        let mut values = self.values.lock().unwrap();
        values.insert(key.to_owned(), value.to_owned());
    }

    pub fn remove(&self, key: &str) {
        self.values.lock().unwrap().remove(key);
    }
}

fn answer(values: &BTreeMap<String, String>, received: &Received) -> Reply {
    if principal(received, AUDIENCE).is_err() {
        return Reply::error(401, "Unauthorized");
    }
    if received.method != "GET" || received.query("api-version").is_none() {
        return Reply::error(400, "BadRequest");
    }
    // A slash in a key is escaped, so the key is one segment of the path.
    let segment = received.path().strip_prefix("/kv/");
    let segment = segment.filter(|segment| !segment.contains('/'));
    let key = segment.and_then(|segment| percent_decode_str(segment).decode_utf8().ok());
    match key.and_then(|key| values.get_key_value(key.as_ref())) {
        None => Reply::empty(404),
        Some((key, value)) => Reply {
            headers: vec![(
                "content-type",
                "application/vnd.microsoft.appconfig.kv+json; charset=utf-8".into(),
            )],
            ..Reply::json(
                200,
                &json!({ "key": key, "label": null, "value": value, "locked": false, "tags": {} }),
            )
        },
    }
}
