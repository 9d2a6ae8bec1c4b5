//! Dead letters, sent again over the topic.
//! <https://learn.microsoft.com/azure/event-grid/manage-event-delivery>

use std::collections::BTreeMap;

use azure_core::http::Method;
use serde_json::value::RawValue;
use wm_deploy::dead_letters::{DeadLetters, Outcome, batches};
use wm_terminal::{
    failure::Failure,
    output::{notice, plain},
};

use crate::{
    account::Account,
    blobs::Blobs,
    deployment::Names,
    record::deployed,
    setup::{refused, rest::Rest},
};

/// The token scope of all topics.
const SCOPE: &str = "https://eventgrid.azure.net/.default";
const SEND: &str = "Microsoft.EventGrid/events/send/action";
const PATH: &str = "/api/events?api-version=2018-01-01";
const BATCH: &str = "application/cloudevents-batch+json; charset=utf-8";
/// The maximum size of one request to the topic, in bytes. The service counts in steps of 64 KB, up
/// to 1 MB.
const LARGEST_REQUEST: usize = 512 * 1024;
/// Members that the service adds to a dead letter.
const ADDED: &[&str] = &[
    "deadletterreason",
    "deliveryattempts",
    "lastdeliveryoutcome",
    "lastdeliveryattempttime",
    "lasthttpstatuscode",
    "publishtime",
];

/// The dead letters of a deployment, and the topic on which their events are published again.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    blobs: Blobs,
    topic: Rest,
}

#[derive(Debug)]
pub struct FunctionDeadLetters {
    function: String,
    blobs: Vec<String>,
    container: Container,
}

/// The members of an event, with their values as written.
type Event = BTreeMap<String, Box<RawValue>>;

impl Container {
    /// The dead letters of the deployment.
    ///
    /// # Errors
    /// If nothing is deployed.
    pub(crate) async fn open(account: &Account, names: &Names) -> Result<Self, Failure> {
        let record = deployed(account, names).await?;
        let url = record.needed(names, "deadLettersUrl")?;
        let (endpoint, container) = url
            .trim_end_matches('/')
            .rsplit_once('/')
            .unwrap_or((url, ""));
        let topic = record.needed(names, "topicEndpoint")?;
        Ok(Self {
            blobs: Blobs::new(account, endpoint, container)?,
            topic: account.service("the URL of the topic", topic, SCOPE)?,
        })
    }

    /// The current dead letters. Those that fail again during the run are not sent again.
    ///
    /// # Errors
    /// If the service does not answer.
    pub(crate) async fn dead_letters(
        &self,
        functions: &[&str],
    ) -> Result<Vec<FunctionDeadLetters>, Failure> {
        let names = self.blobs.names().await?.ok_or_else(|| {
            Failure::new(
                "you may not read dead letters: request the role Storage Blob Data Contributor on their container and try again",
            )
        })?;
        let of = |function: &&str| FunctionDeadLetters {
            function: (*function).to_owned(),
            container: self.clone(),
            blobs: names
                .iter()
                .filter(|name| self::function(name) == Some(function))
                .cloned()
                .collect(),
        };
        Ok(functions.iter().map(of).collect())
    }

    /// Publishes events. Returns whether the topic accepted all of them.
    async fn send(&self, name: &str, events: &[String]) -> Result<bool, Failure> {
        for batch in batches(events, LARGEST_REQUEST, String::len) {
            let body = format!("[{}]", batch.join(","));
            let headers = [("content-type", BATCH.to_owned())];
            let sent = self
                .topic
                .send(SEND, Method::Post, PATH, &headers, body.into());
            let answer = sent.await?;
            let status = answer.status;
            // A missing permission is reported once, not for every dead letter.
            let is_about_the_events = [400, 413].contains(&u16::from(status));
            if !status.is_success() {
                let error = refused(SEND, status, &answer.body);
                if !is_about_the_events {
                    return Err(error.into());
                }
                notice(format!("`{}` was not accepted: {error}", plain(name)));
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl DeadLetters for FunctionDeadLetters {
    fn name(&self) -> &str {
        &self.function
    }

    fn count(&self) -> usize {
        self.blobs.len()
    }

    async fn send_again(&self) -> Result<Outcome, Failure> {
        let Container { blobs, .. } = &self.container;
        let mut outcome = Outcome::default();
        for name in &self.blobs {
            let Some(found) = blobs.get(name).await? else {
                // A concurrent run has already sent it.
                continue;
            };
            let is_sent = match events(&found.body) {
                Some(events) => self.container.send(name, &events).await?,
                None => {
                    notice(format!("`{}` contains no events", plain(name)));
                    false
                }
            };
            if is_sent {
                blobs.remove(name, found.header("etag")).await?;
                outcome.sent += 1;
            } else {
                outcome.left += 1;
            }
        }
        Ok(outcome)
    }
}

/// The function of a dead letter. The second part of its name is the subscription.
fn function(name: &str) -> Option<&'static str> {
    let subscription = name.split('/').nth(1)?.to_ascii_lowercase();
    match subscription.as_str() {
        "notify" => Some("notify"),
        "ingest" | "ingest-redrive" => Some("ingest"),
        _ => None,
    }
}

/// The events of a dead letter as first published. `None` if it contains anything else.
fn events(dead_letter: &[u8]) -> Option<Vec<String>> {
    let events: Vec<Event> = serde_json::from_slice(dead_letter).ok()?;
    let is_event = |event: &Event| {
        ["id", "source", "type"]
            .iter()
            .all(|name| event.contains_key(*name))
    };
    if events.is_empty() || !events.iter().all(is_event) {
        return None;
    }
    let as_published = |mut event: Event| {
        event.retain(|name, _| !ADDED.contains(&name.to_ascii_lowercase().as_str()));
        serde_json::to_string(&event).ok()
    };
    events.into_iter().map(as_published).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_loses_added_members_and_keeps_the_others() {
        let dead_letter = br#"[{"id":"1","source":"s","type":"wm.x","specversion":"1.0",
            "data":{"b": 1.50,  "a": 2},"deadletterreason":"MaxDeliveryAttemptsExceeded",
            "deliveryAttempts":24,"publishtime":"2026-11-28T12:00:00Z"}]"#;
        let events = events(dead_letter).unwrap();
        assert_eq!(
            events,
            [
                r#"{"data":{"b": 1.50,  "a": 2},"id":"1","source":"s","specversion":"1.0","type":"wm.x"}"#
            ]
        );
        for dead_letter in ["", "x", "[]", "{}", r#"[{"id":"1"}]"#, r#"["x"]"#] {
            assert!(
                super::events(dead_letter.as_bytes()).is_none(),
                "{dead_letter}"
            );
        }
    }

    #[test]
    fn dead_letter_names_its_function() {
        assert_eq!(
            function("wm-dev/NOTIFY/2026/11/28/12/x.json"),
            Some("notify")
        );
        assert_eq!(function("wm-dev-storage/INGEST/x.json"), Some("ingest"));
        assert_eq!(function("wm-dev/INGEST-REDRIVE/x.json"), Some("ingest"));
        for other in ["", "notify", "wm-dev/OTHER/x.json"] {
            assert_eq!(function(other), None, "{other}");
        }
    }

    #[test]
    fn batch_keeps_the_size_limit_of_the_topic() {
        let event = |size| "x".repeat(size);
        let large = 200 * 1024;
        let all = [
            event(large),
            event(large),
            event(large),
            event(600 * 1024),
            event(1),
        ];
        let batches = batches(&all, LARGEST_REQUEST, String::len);
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.len()).collect();
        assert_eq!(sizes, [2, 1, 1, 1]);
    }
}
