//! An Event Grid topic whose input schema is CloudEvents 1.0.
//! <https://learn.microsoft.com/azure/event-grid/cloud-event-schema>

use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{
    managed_identity::principal,
    server::{Asked, Said, Server},
};

const AUDIENCE: &str = "https://eventgrid.azure.net";
/// The maximum size of a request in bytes.
const LIMIT: usize = 1_000_000;

#[derive(Clone)]
pub struct EventGridTopic {
    /// The recorded requests and the faults.
    pub server: Server,
    events: Arc<Mutex<Vec<Value>>>,
}

impl EventGridTopic {
    pub async fn start() -> Self {
        let events = Arc::<Mutex<Vec<Value>>>::default();
        let taken = events.clone();
        let server = Server::over_tls(move |asked| answer(&taken, asked)).await;
        Self { server, events }
    }

    /// The URL in the form that Azure shows.
    pub fn endpoint(&self) -> String {
        format!("{}/api/events", self.server.origin)
    }

    /// All accepted events in order, as sent.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }
}

fn answer(taken: &Mutex<Vec<Value>>, asked: &Asked) -> Said {
    if principal(asked, AUDIENCE).is_err() {
        return Said::error(401, "Unauthorized");
    }
    if asked.method != "POST" || asked.path() != "/api/events" {
        return Said::error(404, "NotFound");
    }
    if asked.query("api-version").as_deref() != Some("2018-01-01") {
        return Said::error(400, "BadRequest");
    }
    if asked.header("content-type") != Some("application/cloudevents-batch+json; charset=utf-8") {
        return Said::error(415, "UnsupportedMediaType");
    }
    if asked.body.len() > LIMIT {
        return Said::error(413, "PayloadTooLarge");
    }
    match asked.json() {
        // The topic accepts all events of a request or none.
        Value::Array(events) if !events.is_empty() && events.iter().all(is_cloud_event) => {
            taken.lock().unwrap().extend(events);
            Said::empty(200)
        }
        _ => Said::error(400, "BadRequest"),
    }
}

fn is_cloud_event(event: &Value) -> bool {
    let given = |name: &str| event[name].as_str().is_some_and(|text| !text.is_empty());
    event["specversion"] == "1.0" && ["id", "source", "type"].into_iter().all(given)
}
