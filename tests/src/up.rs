//! Surfaces on loopback for people and their own clients. A control server for each issues tokens
//! and shows mails and events.

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::{Client, RequestBuilder};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};
use wm_core::{record::CloudEvent, value::Email};

mod control;
mod gateway;
mod surfaces;

pub use surfaces::{Aws, Azure, Node};

/// The interval of publishing and mailing, on surfaces where no service does that.
const CARRY: Duration = Duration::from_millis(300);
/// The number of these intervals between two sweeps: half a minute. A cloud has a schedule.
const SWEEP: u32 = 100;

/// The tokens of a person.
#[derive(Debug, Serialize)]
pub struct Tokens {
    /// For requests.
    pub access_token: String,
    /// For `POST /v1/session/identity`, which has already been sent.
    pub id_token: String,
}

/// A surface that can be served.
pub trait Open: Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// The URL of its API.
    fn url(&self) -> &str;

    /// The certificates that clients must trust to reach signed URLs. None for plain HTTP.
    fn certificates(&self) -> Option<PathBuf> {
        None
    }

    /// Tokens for the person with this e-mail address, who then has an identity.
    fn tokens(&self, email: &Email) -> impl Future<Output = Tokens> + Send;

    /// The texts of all mails to an e-mail address, oldest first.
    fn mails(&self, to: &Email) -> impl Future<Output = Vec<String>> + Send;

    /// All published events.
    fn events(&self) -> impl Future<Output = Vec<CloudEvent>> + Send;

    /// Publishes committed changes and sends their mails.
    fn carry(&self) -> impl Future<Output = ()> + Send;

    /// Runs the scheduled work of the surface.
    fn sweep(&self) -> impl Future<Output = ()> + Send;
}

/// A surface that is served until this value is dropped.
pub struct Served {
    name: &'static str,
    url: String,
    control: String,
    certificates: Option<PathBuf>,
    tasks: [JoinHandle<()>; 2],
}

impl Served {
    pub async fn start<S: Open>(surface: S) -> Self {
        let surface = Arc::new(surface);
        let (listener, control) = listen().await;
        Self {
            name: surface.name(),
            url: surface.url().to_owned(),
            control,
            certificates: surface.certificates(),
            tasks: [
                tokio::spawn(control::serve(listener, Arc::clone(&surface))),
                tokio::spawn(tend(surface)),
            ],
        }
    }

    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    #[must_use]
    pub fn control(&self) -> &str {
        &self.control
    }

    /// The URLs, and commands to paste.
    #[must_use]
    pub fn greeting(&self) -> String {
        let Self {
            name, url, control, ..
        } = self;
        let greeting = format!(
            r#"{name}: {url}
  a token:  TOKEN=$(curl -s {control}/token -d '{{"email": "ana@example.com"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  a call:   curl -s -H "authorization: Bearer $TOKEN" {url}/v1/session
  mail:     curl -s '{control}/mail?to=ana@example.com'
  events:   curl -s {control}/events
"#
        );
        match &self.certificates {
            Some(path) => format!("{greeting}  files:    curl --cacert {} …\n", path.display()),
            None => greeting,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// Does the work of the cloud's services between the functions.
async fn tend<S: Open>(surface: Arc<S>) {
    for round in 1_u32.. {
        sleep(CARRY).await;
        let carried = Arc::clone(&surface);
        let task = tokio::spawn(async move {
            carried.carry().await;
            if round.is_multiple_of(SWEEP) {
                carried.sweep().await;
            }
        });
        // Helpers of tests panic where a service would keep a dead letter. The loop continues.
        if task.await.is_err() {
            eprintln!("{}: an event was not delivered; see above", surface.name());
        }
    }
}

/// Uses a surface like a new person: gets a token, creates an account, invites a person, and waits
/// up to a minute for the event and the mail.
pub async fn use_it(url: &str, control: &str) {
    let client = Client::builder().no_proxy().build().unwrap();
    let token = json!({ "email": "ana@example.com" });
    let token = client.post(format!("{control}/token")).json(&token);
    let token = answered(token).await;
    let token = token["access_token"].as_str().expect("an access token");

    let account = json!({ "name": "Harbour", "kind": "organisation" });
    let accounts = format!("{url}/v1/accounts");
    let account = client.post(&accounts).bearer_auth(token).json(&account);
    let account = answered(account).await;
    let id = account["id"].as_str().expect("an account");
    let invitation = json!({ "email": "ben@example.com", "role": "member" });
    let invitations = format!("{accounts}/{id}/invitations");
    let invitation = client
        .post(invitations)
        .bearer_auth(token)
        .json(&invitation);
    answered(invitation).await;

    let seen = |place: &str| client.get(format!("{control}{place}"));
    eventually(seen("/events"), "account.created").await;
    eventually(seen("/mail?to=ben@example.com"), "Harbour").await;
    for place in ["/mail", "/mail?to=ben", "/elsewhere"] {
        let refused = seen(place).send().await.unwrap().status();
        assert!(refused.is_client_error(), "{place}: {refused}");
    }
}

async fn answered(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    assert!(status.is_success(), "{status}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// Polls until the answer contains a word.
async fn eventually(request: RequestBuilder, word: &str) {
    let asked = async {
        loop {
            let answer = answered(request.try_clone().unwrap()).await.to_string();
            if answer.contains(word) {
                return;
            }
            sleep(CARRY).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_mins(1), asked).await;
    found.unwrap_or_else(|_| panic!("`{word}` does not come"));
}
