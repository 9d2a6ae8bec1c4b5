//! An Event Grid topic whose input schema is CloudEvents 1.0.
//! <https://learn.microsoft.com/azure/event-grid/cloud-event-schema>

use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{
    managed_identity::principal,
    server::{Received, Reply, Server},
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
        let server = Server::over_tls(move |received| answer(&taken, received)).await;
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

fn answer(taken: &Mutex<Vec<Value>>, received: &Received) -> Reply {
    if principal(received, AUDIENCE).is_err() {
        return Reply::error(401, "Unauthorized");
    }
    if received.method != "POST" || received.path() != "/api/events" {
        return Reply::error(404, "NotFound");
    }
    if received.query("api-version").as_deref() != Some("2018-01-01") {
        return Reply::error(400, "BadRequest");
    }
    if received.header("content-type") != Some("application/cloudevents-batch+json; charset=utf-8")
    {
        return Reply::error(415, "UnsupportedMediaType");
    }
    if received.body.len() > LIMIT {
        return Reply::error(413, "PayloadTooLarge");
    }
    match received.json() {
        // The topic accepts all events of a request or none.
        Value::Array(events) if !events.is_empty() && events.iter().all(is_cloud_event) => {
            taken.lock().unwrap().extend(events);
            Reply::empty(200)
        }
        _ => Reply::error(400, "BadRequest"),
    }
}

fn is_cloud_event(event: &Value) -> bool {
    let given = |name: &str| event[name].as_str().is_some_and(|text| !text.is_empty());
    event["specversion"] == "1.0" && ["id", "source", "type"].into_iter().all(given)
}
