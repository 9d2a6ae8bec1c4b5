//! The Azure Functions host, as a custom handler sees it. It reads `host.json` and the
//! `function.json` of each folder, starts the executable, probes whether it listens, forwards HTTP
//! and posts envelopes.
//!
//! The behaviour follows <https://github.com/Azure/azure-functions-host>: the environment, the
//! probe every 25 ms for 30 s, the standard error as an error log, the stop by SIGKILL, and the
//! handling of exit codes. After exit code 0 the host starts nothing again. After 200 it starts the
//! executable again. Any other code is an error, and the third error within half an hour stops the
//! host. The headers of App Service's front end are included.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub mod app;
mod front;
mod worker;

use app::App;
pub use worker::State;
use worker::Worker;

/// The version that the host reports.
const VERSION: &str = "4.1046.100.25506";

#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the application, which contains the executable.
    pub app: PathBuf,
    /// The application settings: the environment without the variables that the host sets.
    pub environment: Vec<(String, String)>,
    /// The startup timeout of the executable.
    pub timeout: Duration,
}

impl Settings {
    #[must_use]
    pub fn new(app: PathBuf, environment: Vec<(String, String)>) -> Self {
        Self {
            app,
            environment,
            timeout: Duration::from_secs(30),
        }
    }
}

/// How an envelope contains JSON. It depends on the binding and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// As a JSON value.
    Plain,
    Text,
    /// As a JSON text whose content is a JSON text again.
    TextOfText,
}

impl Wrapping {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Text, Self::TextOfText];

    fn wrap(self, value: &Value) -> Value {
        let text = |value: &Value| Value::from(value.to_string());
        match self {
            Self::Plain => value.clone(),
            Self::Text => text(value),
            Self::TextOfText => text(&text(value)),
        }
    }
}

/// The outcome of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The function succeeded.
    Done,
    /// The function answered this status, or a body that is not a result.
    Failed(u16, String),
    /// The connection ended before an answer.
    Died,
}

/// A running host. It ends on drop.
#[derive(Debug)]
pub struct Host {
    /// The public URL of the host.
    pub url: String,
    app: Arc<App>,
    worker: Arc<Worker>,
    client: Client,
}

/// The maximum number of deliveries of a payload before the test fails.
const DELIVERIES: usize = 10;

impl Host {
    /// Starts the host, which starts the executable in the background.
    pub async fn start(settings: Settings) -> Self {
        let app = Arc::new(App::read(&settings.app));
        let worker = Worker::start(&app, settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(front::serve(
            listener,
            Arc::clone(&app),
            Arc::clone(&worker),
        ));
        Self {
            url,
            app,
            worker,
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Waits until the executable listens.
    pub async fn ready(&self) {
        let state = self.worker.ready().await;
        assert_eq!(state, State::Ready, "{}", self.last_lines());
    }

    /// Waits until the host stops, or the executable ends without a restart.
    pub async fn over(&self) -> State {
        self.worker.over().await
    }

    /// Posts an envelope to a function: the trigger data under the name of its binding.
    pub async fn invoke(
        &self,
        function: &str,
        trigger: &str,
        data: &Value,
        wrapping: Wrapping,
    ) -> Outcome {
        let found = self.app.function(function);
        assert_eq!(found.trigger, trigger, "`{function}`");
        self.worker.ready().await;
        let envelope = json!({
            "Data": { &found.binding: wrapping.wrap(data) },
            "Metadata": { "sys": { "MethodName": function, "UtcNow": "2026-11-28T12:00:00.0000000Z", "RandGuid": guid() } },
        });
        let sent = self
            .client
            .post(format!("http://127.0.0.1:{}/{function}", self.worker.port))
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", format!("Azure-Functions-Host/{VERSION}"))
            .header("x-azure-functions-hostversion", VERSION)
            .header("x-azure-functions-invocationid", guid())
            .body(envelope.to_string())
            .send();
        let Ok(response) = sent.await else {
            return Outcome::Died;
        };
        let status = response.status();
        let Ok(body) = response.text().await else {
            return Outcome::Died;
        };
        if status.is_success() && is_result(&body) {
            Outcome::Done
        } else {
            Outcome::Failed(status.as_u16(), body)
        }
    }

    /// Delivers an Event Grid payload once. Each event is one concurrent invocation. If one fails,
    /// Event Grid delivers all again.
    pub async fn deliver_events(&self, function: &str, events: &[Value]) -> bool {
        let each = events
            .iter()
            .map(|event| self.invoke(function, "eventGridTrigger", event, Wrapping::Plain));
        let mut done = true;
        for outcome in futures_util::future::join_all(each).await {
            done &= outcome == Outcome::Done;
        }
        done
    }

    /// Delivers an Event Grid payload until it succeeds.
    pub async fn events(&self, function: &str, events: &[Value]) {
        for _ in 0..DELIVERIES {
            if self.deliver_events(function, events).await {
                return;
            }
        }
        panic!("{events:?} became dead letters: {}", self.last_lines());
    }

    /// Delivers a batch of the change feed once, as one invocation.
    pub async fn deliver_changes(&self, function: &str, documents: &[Value]) -> bool {
        let batch = json!(documents);
        let outcome = self.invoke(function, "cosmosDBTrigger", &batch, Wrapping::Text);
        outcome.await == Outcome::Done
    }

    /// Fires the timer once.
    pub async fn tick(&self, function: &str) -> Outcome {
        let timer = json!({
            "Schedule": { "AdjustForDST": true },
            "ScheduleStatus": { "Last": "2026-11-28T11:55:00Z", "Next": "2026-11-28T12:00:00Z" },
            "IsPastDue": false,
        });
        self.invoke(function, "timerTrigger", &timer, Wrapping::Plain)
            .await
    }

    /// Kills the executable, as the system does if it exceeds its memory. Counts as an error.
    pub fn kill(&self) {
        self.worker.kill();
    }

    /// Replaces this instance of the host, as the platform does. Does not count as an error.
    pub fn replace(&self) {
        self.worker.replace();
    }

    /// Sends SIGTERM to the executable, as an operator without a host does.
    pub fn terminate(&self) {
        self.worker.terminate();
    }

    /// The port of the executable.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.worker.port
    }

    /// The process id of the running executable.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.worker.process()
    }

    /// The number of starts of the executable.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.worker.starts.load(Ordering::SeqCst)
    }

    /// The number of answered public requests.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.worker.answered.load(Ordering::SeqCst)
    }

    /// All lines of the executable's standard output so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.worker.output(false)
    }

    /// All lines of its standard error, which the host logs as errors.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        self.worker.output(true)
    }

    /// The last lines of both outputs, for messages.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let lines = self.lines();
        let last = lines[lines.len().saturating_sub(20)..].join("\n");
        format!("{last}\n{}", self.errors().join("\n"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.worker.stop();
    }
}

/// Checks that the host can parse the body as the result of a function.
fn is_result(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["Outputs"].is_object() && body["Logs"].is_array() && body.get("ReturnValue").is_some()
}

/// An id in the format of .NET.
fn guid() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    let part = |from: usize, to: usize| &digits[from..to];
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
