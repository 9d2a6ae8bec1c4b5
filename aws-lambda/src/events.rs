//! The event bus: EventBridge, a whole CloudEvent in each entry's `detail`.

use aws_sdk_eventbridge::{
    Client,
    operation::put_events::PutEventsOutput,
    primitives::DateTime,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use aws_types::SdkConfig;
use wm_core::cloud_event::CloudEvent;
use wm_service::ports::{Events, PortError, PortErrorKind};

use crate::{
    config::Config,
    error::port_error,
    sdk::{Patience, for_service},
};

/// What our entries give as their source.
pub const SOURCE: &str = "workspace-management";
/// What entries give that were taken from a dead-letter queue: only our own rules listen to it.
pub const REDRIVE_SOURCE: &str = "workspace-management.redrive";
/// The most entries of one call.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
pub const ENTRIES: usize = 10;
/// The most bytes of one call, all entries together.
const BYTES: usize = 256 * 1024;
/// What an entry counts for beside its detail: time, source, type, and a margin.
const OVERHEAD: usize = 512;

/// The port over a bus; a function that publishes nothing has none.
#[derive(Debug, Clone, Default)]
pub struct EventBus(Option<Bus>);

#[derive(Debug, Clone)]
struct Bus {
    client: Client,
    name: String,
}

impl EventBus {
    /// The bus a function is configured with.
    #[must_use]
    pub fn new(shared: &SdkConfig, config: &Config) -> Self {
        let settings = for_service(shared, config, "EVENTBRIDGE", Patience::SERVICE);
        Self(config.bus.clone().map(|name| Bus {
            client: Client::new(&settings),
            name,
        }))
    }
}

impl Events for EventBus {
    async fn publish(&self, entries: &[CloudEvent]) -> Vec<Result<(), PortError>> {
        let Some(bus) = &self.0 else {
            let none = |_| Err(refused("this function has no event bus"));
            return entries.iter().map(none).collect();
        };
        let mut results = Vec::with_capacity(entries.len());
        let mut chunk = Chunk::default();
        for event in entries {
            match detail(event) {
                Ok(detail) => {
                    if !chunk.takes(&detail) {
                        results.append(&mut bus.put(std::mem::take(&mut chunk)).await);
                    }
                    chunk.push(bus.entry(event, &detail), &detail);
                }
                Err(error) => {
                    // Put first, so that the answers stay in order.
                    results.append(&mut bus.put(std::mem::take(&mut chunk)).await);
                    results.push(Err(error));
                }
            }
        }
        results.append(&mut bus.put(chunk).await);
        results
    }
}

/// What goes into one call.
#[derive(Default)]
struct Chunk {
    entries: Vec<PutEventsRequestEntry>,
    bytes: usize,
}

impl Chunk {
    fn takes(&self, detail: &str) -> bool {
        self.entries.len() < ENTRIES && self.bytes + detail.len() + OVERHEAD <= BYTES
    }

    fn push(&mut self, entry: PutEventsRequestEntry, detail: &str) {
        self.entries.push(entry);
        self.bytes += detail.len() + OVERHEAD;
    }
}

fn detail(event: &CloudEvent) -> Result<String, PortError> {
    let detail = serde_json::to_string(event)
        .map_err(|error| PortError::new(PortErrorKind::Refused, error))?;
    if detail.len() + OVERHEAD > BYTES {
        return Err(refused("the event is larger than the bus takes"));
    }
    Ok(detail)
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

    /// Puts what goes into one call, answering for each entry.
    async fn put(&self, Chunk { entries, .. }: Chunk) -> Vec<Result<(), PortError>> {
        let count = entries.len();
        if count == 0 {
            return Vec::new();
        }
        let put = self.client.put_events().set_entries(Some(entries));
        match put.send().await.map_err(port_error) {
            Ok(answer) => results(&answer, count),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let each = |_| {
                    let cause = cause.clone().unwrap_or_default();
                    Err(PortError::new(error.kind, cause))
                };
                (0..count).map(each).collect()
            }
        }
    }
}

/// A call that succeeded says for each entry whether it was taken.
fn results(answer: &PutEventsOutput, count: usize) -> Vec<Result<(), PortError>> {
    let each = |entry: &PutEventsResultEntry| match entry.error_code() {
        None => Ok(()),
        Some(code) => {
            let message = entry.error_message().unwrap_or_default();
            let kind = PortErrorKind::Throttled;
            Err(PortError::new(kind, format!("{code}: {message}")))
        }
    };
    let mut results: Vec<_> = answer.entries().iter().map(each).collect();
    let unanswered = || Err(refused("the bus did not say whether it took the entry"));
    results.resize_with(count, unanswered);
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_57_each_entry_has_its_own_answer() {
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
