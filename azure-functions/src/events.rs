//! The event bus: an Event Grid topic that accepts CloudEvents.

use azure_core::http::{Context, Method, Pipeline, Request, Url, headers::CONTENT_TYPE};
use wm_core::record::CloudEvent;
use wm_service::{
    batches::{Chunk, Limits, chunks, failed},
    ports::{Events, PortError, PortErrorKind},
};

use crate::{
    config::Config,
    error::port_error,
    sdk::{Sdk, SdkError, Timeouts, within},
};

/// The limit of one request: 1 MB (<https://learn.microsoft.com/azure/event-grid/event-schema>).
/// The number of events per request is not documented; a topic accepts 5,000 per second.
const LIMITS: Limits = Limits {
    events: 100,
    bytes: 1_000_000 - "[]".len(),
    overhead: ",".len(),
};
const API_VERSION: &str = "2018-01-01";
const SCOPE: &str = "https://eventgrid.azure.net/.default";

/// The event port over a topic. A handler that publishes nothing has no topic.
#[derive(Debug, Clone)]
pub struct EventGrid(Option<Topic>);

#[derive(Debug, Clone)]
struct Topic {
    pipeline: Pipeline,
    url: Url,
}

impl EventGrid {
    /// The topic of the configuration.
    ///
    /// # Errors
    /// [`SdkError`].
    pub fn new(sdk: &Sdk, config: &Config) -> Result<Self, SdkError> {
        let Some(topic) = &config.topic else {
            return Ok(Self(None));
        };
        Ok(Self(Some(Topic {
            pipeline: sdk.pipeline(&sdk.credential, SCOPE, Timeouts::SERVICE),
            url: topic_url(topic)?,
        })))
    }
}

/// The URL for publishing. Azure shows the URL of a topic with its path, other tools without.
fn topic_url(topic: &str) -> Result<Url, SdkError> {
    let host = topic.trim_end_matches("/api/events");
    let mut url = Url::parse(&format!("{host}/api/events")).map_err(azure_core::Error::from)?;
    url.query_pairs_mut()
        .append_pair("api-version", API_VERSION);
    Ok(url)
}

impl Events for EventGrid {
    async fn publish(&self, entries: &[CloudEvent]) -> Vec<Result<(), PortError>> {
        let Some(topic) = &self.0 else {
            let none = PortError::new(PortErrorKind::Refused, "this handler has no event topic");
            return failed(&none, entries.len());
        };
        let mut results = Vec::with_capacity(entries.len());
        for chunk in chunks(entries, LIMITS) {
            match chunk {
                Chunk::Batch(batch) => results.append(&mut topic.put(&batch).await),
                Chunk::Refused(error) => results.push(Err(error)),
            }
        }
        results
    }
}

impl Topic {
    /// Publishes the events of one request. The service accepts all or none.
    async fn put(&self, batch: &[(&CloudEvent, String)]) -> Vec<Result<(), PortError>> {
        let texts: Vec<&str> = batch.iter().map(|(_, text)| text.as_str()).collect();
        let mut request = Request::new(self.url.clone(), Method::Post);
        request.insert_header(
            CONTENT_TYPE,
            "application/cloudevents-batch+json; charset=utf-8",
        );
        request.set_body(format!("[{}]", texts.join(",")));
        let context = Context::default();
        let sent = async {
            let sent = self.pipeline.send(&context, &mut request, None).await;
            sent.map(drop).map_err(port_error)
        };
        match within(Timeouts::SERVICE.operation, sent).await {
            Ok(()) => batch.iter().map(|_| Ok(())).collect(),
            Err(error) => failed(&error, batch.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_url_works_with_and_without_its_path() {
        let expected = "https://t.eastus-1.eventgrid.azure.net/api/events?api-version=2018-01-01";
        for topic in [
            "https://t.eastus-1.eventgrid.azure.net",
            "https://t.eastus-1.eventgrid.azure.net/api/events",
        ] {
            assert_eq!(topic_url(topic).unwrap().as_str(), expected);
        }
        assert!(topic_url("nowhere").is_err());
    }
}
