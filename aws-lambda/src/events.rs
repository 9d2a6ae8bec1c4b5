//! The event bus: EventBridge, with a complete CloudEvent in the `detail` of each entry.

use aws_sdk_eventbridge::{
    Client,
    operation::put_events::PutEventsOutput,
    primitives::DateTime,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use aws_types::SdkConfig;
use wm_core::record::CloudEvent;
use wm_service::{
    batches::{Chunk, Limits, chunks, failed},
    ports::{Events, PortError, PortErrorKind},
};

use crate::{
    config::Config,
    error::port_error,
    sdk::{Timeouts, for_service},
};

/// The source of all entries of this program.
pub const SOURCE: &str = "workspace-management";
/// The source of entries that were sent again from a dead-letter queue. Only the rules of this
/// program match it.
pub const REDRIVE_SOURCE: &str = "workspace-management.redrive";
/// The maximum number of entries per call.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
pub const ENTRIES: usize = 10;
const LIMITS: Limits = Limits {
    events: ENTRIES,
    bytes: 256 * 1024,
    // Time, source and type, with a margin.
    overhead: 512,
};

/// The event port over a bus. Functions that publish nothing have no bus.
#[derive(Debug, Clone, Default)]
pub struct EventBus(Option<Bus>);

#[derive(Debug, Clone)]
struct Bus {
    client: Client,
    name: String,
}

impl EventBus {
    /// The bus of the configuration.
    #[must_use]
    pub fn new(shared: &SdkConfig, config: &Config) -> Self {
        let settings = for_service(shared, config, "EVENTBRIDGE", Timeouts::SERVICE);
        Self(config.bus.clone().map(|name| Bus {
            client: Client::new(&settings),
            name,
        }))
    }
}

impl Events for EventBus {
    async fn publish(&self, entries: &[CloudEvent]) -> Vec<Result<(), PortError>> {
        let Some(bus) = &self.0 else {
            return failed(&refused("this function has no event bus"), entries.len());
        };
        let mut results = Vec::with_capacity(entries.len());
        for chunk in chunks(entries, LIMITS) {
            match chunk {
                Chunk::Batch(batch) => results.append(&mut bus.put(&batch).await),
                Chunk::Refused(error) => results.push(Err(error)),
            }
        }
        results
    }
}

fn refused(reason: &'static str) -> PortError {
    PortError::new(PortErrorKind::Refused, reason)
}

impl Bus {
    fn entry(&self, event: &CloudEvent, detail: &str) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(&event.kind)
            .detail(detail)
            .time(DateTime::from_millis(event.time.millis()))
            .build()
    }

    /// Publishes the entries of one call. Returns one result per entry.
    async fn put(&self, batch: &[(&CloudEvent, String)]) -> Vec<Result<(), PortError>> {
        let entry = |(event, detail): &(&CloudEvent, String)| self.entry(event, detail);
        let entries = batch.iter().map(entry).collect();
        let put = self.client.put_events().set_entries(Some(entries));
        match put.send().await.map_err(port_error) {
            Ok(answer) => results(&answer, batch.len()),
            Err(error) => failed(&error, batch.len()),
        }
    }
}

/// The result of each entry. A successful call can contain refused entries.
fn results(answer: &PutEventsOutput, count: usize) -> Vec<Result<(), PortError>> {
    let each = |entry: &PutEventsResultEntry| match entry.error_code() {
        None => Ok(()),
        Some(code) => {
            let message = entry.error_message().unwrap_or_default();
            Err(PortError::new(kind(code), format!("{code}: {message}")))
        }
    };
    let mut results: Vec<_> = answer.entries().iter().map(each).collect();
    let unanswered = || Err(refused("the bus gave no result for the entry"));
    results.resize_with(count, unanswered);
    results
}

/// The kind of an error about one entry
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>).
fn kind(code: &str) -> PortErrorKind {
    match code {
        "ThrottlingException" => PortErrorKind::Throttled,
        "InternalException" | "InternalFailure" => PortErrorKind::Unavailable,
        _ => PortErrorKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_57_each_entry_has_its_own_result() {
        let entry = |code: Option<&str>| {
            let entry = PutEventsResultEntry::builder().set_error_code(code.map(str::to_owned));
            entry.build()
        };
        let answer = PutEventsOutput::builder()
            .entries(entry(None))
            .entries(entry(Some("ThrottlingException")))
            .build();
        let results: Vec<bool> = results(&answer, 3).iter().map(Result::is_ok).collect();
        assert_eq!(results, [true, false, false]);
    }
}
