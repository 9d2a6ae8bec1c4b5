//! Communication Services Email: accepts mails, by token or by key, and reports their outcome.
//! <https://learn.microsoft.com/rest/api/communication/email/email/send>

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use wm_service::clock::now;

use super::{
    managed_identity::principal,
    server::{Received, Reply, Server},
};

const AUDIENCE: &str = "https://communication.azure.com";
const API_VERSION: &str = "2025-09-01";
/// The key of the resource, in base64.
pub const KEY: &str = "c3RhbmQtaW4ga2V5IG9mIGEgQ29tbXVuaWNhdGlvbiBTZXJ2aWNlcw==";
/// The accepted clock difference of a signature, in seconds.
const SKEW: i64 = 5 * 60;

/// An accepted mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The id of its send operation.
    pub operation: String,
    /// The body of the request.
    pub body: Value,
    /// The principal that sent the mail, or none if the request was signed with the key.
    pub principal: Option<String>,
}

impl Mail {
    pub fn to(&self) -> &str {
        self.body["recipients"]["to"][0]["address"]
            .as_str()
            .unwrap()
    }

    pub fn subject(&self) -> &str {
        self.body["content"]["subject"].as_str().unwrap()
    }

    pub fn text(&self) -> &str {
        self.body["content"]["plainText"].as_str().unwrap()
    }
}

#[derive(Clone)]
pub struct Communication {
    /// The recorded requests and the faults.
    pub server: Server,
    state: Arc<Mutex<State>>,
}

struct State {
    mails: Vec<Mail>,
    /// The number of further polls that each operation reports as running.
    running: BTreeMap<String, usize>,
    polls: usize,
    end: &'static str,
}

impl Communication {
    /// A resource that sends every mail. An operation ends after one poll.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            mails: Vec::new(),
            running: BTreeMap::new(),
            polls: 1,
            end: "Succeeded",
        }));
        let answering = state.clone();
        let server =
            Server::over_tls(move |received| answering.lock().unwrap().answer(received)).await;
        Self { server, state }
    }

    /// All accepted mails.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().unwrap().mails.clone()
    }

    /// Sets the outcome of operations from now on: `Succeeded`, `Failed` or `Canceled`, after this
    /// number of polls.
    pub fn set_end(&self, polls: usize, end: &'static str) {
        let mut state = self.state.lock().unwrap();
        (state.polls, state.end) = (polls, end);
    }
}

impl State {
    fn answer(&mut self, received: &Received) -> Reply {
        let by = match authorized(received) {
            Ok(by) => by,
            Err(reason) => return Reply::error(401, reason),
        };
        if received.query("api-version").as_deref() != Some(API_VERSION) {
            return Reply::error(400, "BadRequest");
        }
        let operation = received.path().strip_prefix("/emails/operations/");
        match (received.method.as_str(), received.path(), operation) {
            ("POST", "/emails:send", _) => self.take(received, by),
            ("GET", _, Some(operation)) => self.report(operation),
            _ => Reply::error(404, "NotFound"),
        }
    }

    fn take(&mut self, received: &Received, principal: Option<String>) -> Reply {
        let body = received.json();
        let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        let whole = text(&body["senderAddress"])
            && text(&body["content"]["subject"])
            && text(&body["content"]["plainText"])
            && text(&body["recipients"]["to"][0]["address"]);
        let Some(operation) = received.header("operation-id").filter(|_| whole) else {
            return Reply::error(400, "InvalidRequest");
        };
        let operation = operation.to_owned();
        // The service does not deduplicate a known id: each request is a mail.
        self.mails.push(Mail {
            operation: operation.clone(),
            body,
            principal,
        });
        self.running.insert(operation.clone(), self.polls);
        let host = received.header("host").unwrap_or_default();
        let location =
            format!("https://{host}/emails/operations/{operation}?api-version={API_VERSION}");
        Reply::json(
            202,
            &json!({ "id": operation, "status": "Running", "error": null }),
        )
        .with("operation-location", location)
        .with("retry-after", "0")
    }

    fn report(&mut self, operation: &str) -> Reply {
        let Some(left) = self.running.get_mut(operation) else {
            return Reply::error(404, "OperationNotFound");
        };
        let (status, error) = match (*left, self.end) {
            (0, "Succeeded") => ("Succeeded", Value::Null),
            (0, end) => (
                end,
                json!({ "code": "EmailDropped", "message": super::server::OWN_WORDS }),
            ),
            _ => ("Running", Value::Null),
        };
        *left = left.saturating_sub(1);
        Reply::json(
            200,
            &json!({ "id": operation, "status": status, "error": error }),
        )
        .with("retry-after", "0")
    }
}

/// Authenticates the request: a principal, or none for the key.
fn authorized(received: &Received) -> Result<Option<String>, &'static str> {
    let header = received.header("authorization").unwrap_or_default();
    let signed = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=";
    let Some(signature) = header.strip_prefix(signed) else {
        return principal(received, AUDIENCE).map(Some);
    };
    let given = |name| received.header(name).ok_or("a signed header is missing");
    let (date, content) = (given("x-ms-date")?, given("x-ms-content-sha256")?);
    let digest = digest::digest(&digest::SHA256, &received.body);
    if content != STANDARD.encode(digest.as_ref()) {
        return Err("the content is not what was signed");
    }
    let when = azure_core::time::parse_rfc7231(date).map_err(|_| "the date is none")?;
    if (when.unix_timestamp() - now().millis() / 1000).abs() > SKEW {
        return Err("the date is too far off");
    }
    let text = format!(
        "{}\n{}\n{date};{};{content}",
        received.method,
        received.target,
        given("host")?
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(KEY).unwrap());
    let signature = STANDARD
        .decode(signature)
        .map_err(|_| "the signature is none")?;
    hmac::verify(&key, text.as_bytes(), &signature)
        .map_err(|_| "the signature is not the key's")?;
    Ok(None)
}
