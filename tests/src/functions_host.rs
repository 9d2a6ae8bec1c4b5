//! The Azure Functions host, as a custom handler sees it: it reads `host.json` and the folders' `function.json`,
//! starts the executable, asks whether it listens, passes HTTP on and posts envelopes.
//!
//! What is as in <https://github.com/Azure/azure-functions-host>: the environment, the probe every 25 ms for
//! 30 s, what the end of the executable leads to (0: nothing is started again; 200: started again; else an
//! error, and the third within half an hour stops the host), that its standard error counts as errors, and
//! that it is stopped by SIGKILL. The front end of App Service is part of it, as far as its headers go.

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

/// The version the host says it is.
const VERSION: &str = "4.1046.100.25506";

/// How an application is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the application, with the executable in it.
    pub app: PathBuf,
    /// Its settings: the environment, but for what the host itself sets.
    pub environment: Vec<(String, String)>,
    /// How long the executable may take until it listens.
    pub patience: Duration,
}

impl Settings {
    /// An application with these settings.
    #[must_use]
    pub fn new(app: PathBuf, environment: Vec<(String, String)>) -> Self {
        Self {
            app,
            environment,
            patience: Duration::from_secs(30),
        }
    }
}

/// How JSON is handed over in an envelope: it depends on the binding and on its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// As itself.
    Plain,
    Text,
    /// As a text that holds it as a text.
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

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The function succeeded.
    Done,
    /// It answered this status, or a body that is no result.
    Failed(u16, String),
    /// The connection ended before an answer.
    Died,
}

/// A running host, which ends with this value.
#[derive(Debug)]
pub struct Host {
    /// Where it answers HTTP from outside.
    pub url: String,
    app: Arc<App>,
    worker: Arc<Worker>,
    client: Client,
}

/// How often a payload is delivered before a test gives up on it.
const DELIVERIES: usize = 10;

impl Host {
    /// Starts the host; the executable comes up by itself.
    ///
    /// # Panics
    /// When the folder is no application.
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

    /// The application.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Waits until the executable listens.
    ///
    /// # Panics
    /// When it will not.
    pub async fn ready(&self) {
        let state = self.worker.ready().await;
        assert_eq!(state, State::Ready, "{}", self.last_lines());
    }

    /// Waits until the host has given up on the executable, or the executable ended for good.
    pub async fn over(&self) -> State {
        self.worker.over().await
    }

    /// Posts an envelope to a function: what its trigger holds, under the name of its binding.
    ///
    /// # Panics
    /// When there is no such function, or it has another trigger.
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

    /// Delivers a payload of Event Grid once: each event is an invocation, all at a time. When one fails,
    /// all of them are to be delivered again.
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

    /// Delivers a payload of Event Grid until it goes through.
    ///
    /// # Panics
    /// When it does not.
    pub async fn events(&self, function: &str, events: &[Value]) {
        for _ in 0..DELIVERIES {
            if self.deliver_events(function, events).await {
                return;
            }
        }
        panic!("{events:?} became dead letters: {}", self.last_lines());
    }

    /// Delivers a batch of the change feed once: it is one invocation.
    pub async fn deliver_changes(&self, function: &str, documents: &[Value]) -> bool {
        let batch = json!(documents);
        let outcome = self.invoke(function, "cosmosDBTrigger", &batch, Wrapping::Text);
        outcome.await == Outcome::Done
    }

    /// Lets the timer go off once.
    pub async fn tick(&self, function: &str) -> Outcome {
        let timer = json!({
            "Schedule": { "AdjustForDST": true },
            "ScheduleStatus": { "Last": "2026-11-28T11:55:00Z", "Next": "2026-11-28T12:00:00Z" },
            "IsPastDue": false,
        });
        self.invoke(function, "timerTrigger", &timer, Wrapping::Plain)
            .await
    }

    /// Kills the executable, as the system does to one that takes too much memory: one strike.
    pub fn kill(&self) {
        self.worker.kill();
    }

    /// Ends this instance of the host and puts another in its place, as the platform does: no strike.
    pub fn replace(&self) {
        self.worker.replace();
    }

    /// Asks the executable to stop (SIGTERM), as whoever runs it without a host does.
    pub fn terminate(&self) {
        self.worker.terminate();
    }

    /// The port the executable listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.worker.port
    }

    /// The process id of the executable, while there is one.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.worker.process()
    }

    /// How often the executable was started.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.worker.starts.load(Ordering::SeqCst)
    }

    /// How many requests from outside it answered.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.worker.answered.load(Ordering::SeqCst)
    }

    /// Every line of the executable's standard output so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.worker.output(false)
    }

    /// Every line of its standard error, which the host logs as errors.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        self.worker.output(true)
    }

    /// The last lines of both, for messages.
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

/// What the host can read as the result of a function.
fn is_result(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["Outputs"].is_object() && body["Logs"].is_array() && body.get("ReturnValue").is_some()
}

/// An id as .NET writes one.
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
