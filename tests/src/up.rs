//! Surfaces on loopback for people and their own clients. A control server for each issues tokens
//! and shows mails and events.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::Serialize;
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
