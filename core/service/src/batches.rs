//! Grouping of events into calls to an event bus.

use wm_core::record::CloudEvent;

use crate::ports::{PortError, PortErrorKind};

/// The limits of a bus for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of events.
    pub events: usize,
    /// The maximum number of bytes of all events together.
    pub bytes: usize,
    /// The bytes counted for each event in addition to its own.
    pub overhead: usize,
}

/// A part of the events to publish: one call, or one event that fits in no call.
#[derive(Debug)]
pub enum Chunk<'a> {
    /// Consecutive events and their JSON.
    Batch(Vec<(&'a CloudEvent, String)>),
    /// An event that exceeds the limits of a call.
    Refused(PortError),
}

/// Groups events into calls within the limits, in order.
#[must_use]
pub fn chunks(events: &[CloudEvent], limits: Limits) -> Vec<Chunk<'_>> {
    let mut chunks = Vec::new();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for event in events {
        let text = match text(event, limits) {
            Ok(text) => text,
            Err(error) => {
                close(&mut chunks, &mut batch, &mut bytes);
                chunks.push(Chunk::Refused(error));
                continue;
            }
        };
        let size = text.len() + limits.overhead;
        if batch.len() == limits.events || bytes + size > limits.bytes {
            close(&mut chunks, &mut batch, &mut bytes);
        }
        batch.push((event, text));
        bytes += size;
    }
    close(&mut chunks, &mut batch, &mut bytes);
    chunks
}

type Events<'a> = Vec<(&'a CloudEvent, String)>;

/// Ends the current batch, unless it is empty.
fn close<'a>(chunks: &mut Vec<Chunk<'a>>, batch: &mut Events<'a>, bytes: &mut usize) {
    if !batch.is_empty() {
        chunks.push(Chunk::Batch(std::mem::take(batch)));
        *bytes = 0;
    }
}

fn text(event: &CloudEvent, limits: Limits) -> Result<String, PortError> {
    let refused = |error: Box<dyn std::error::Error + Send + Sync>| {
        PortError::new(PortErrorKind::Refused, error)
    };
    let text = serde_json::to_string(event).map_err(|error| refused(error.into()))?;
    if text.len() + limits.overhead > limits.bytes {
        return Err(refused(
            "the event exceeds the size limit of the bus".into(),
        ));
    }
    Ok(text)
}

/// The result of each event after a call that failed as a whole.
#[must_use]
pub fn failed(error: &PortError, count: usize) -> Vec<Result<(), PortError>> {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let each = |_| {
        let cause = cause.clone().unwrap_or_default();
        Err(PortError::new(error.kind, cause))
    };
    (0..count).map(each).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(id: &str) -> CloudEvent {
        let surface = "srf_01arz3ndektsv4rrffq69g5fav_00001";
        let event = json!({
            "specversion": "1.0", "id": id, "source": "/surfaces/one", "type": "wm.test", "subject": "s",
            "time": "2026-01-01T00:00:00.000Z", "datacontenttype": "application/json",
            "data": {
                "surface": surface, "scope": "USER#usr_01arz3ndektsv4rrffq69g5fav", "seq": 1,
                "event": "account.created", "actor": "usr_01arz3ndektsv4rrffq69g5fav",
                "request_id": "req_01arz3ndektsv4rrffq69g5fav", "changes": [],
            },
        });
        serde_json::from_value(event).unwrap()
    }

    /// The number of events in each call. 0 stands for a refused event.
    fn sizes(events: &[CloudEvent], limits: Limits) -> Vec<usize> {
        let size = |chunk: &Chunk<'_>| match chunk {
            Chunk::Batch(batch) => batch.len(),
            Chunk::Refused(_) => 0,
        };
        chunks(events, limits).iter().map(size).collect()
    }

    #[test]
    fn calls_keep_every_limit() {
        let events: Vec<CloudEvent> = (0..5).map(|number| event(&number.to_string())).collect();
        let each = serde_json::to_string(&events[0]).unwrap().len();
        let limits = |events, bytes| Limits {
            events,
            bytes,
            overhead: 1,
        };
        assert_eq!(sizes(&events, limits(2, usize::MAX)), [2, 2, 1]);
        assert_eq!(sizes(&events, limits(10, 3 * (each + 1))), [3, 2]);
        assert_eq!(sizes(&events, limits(10, 3 * (each + 1) - 1)), [2, 2, 1]);
        assert!(sizes(&[], limits(2, usize::MAX)).is_empty());
    }

    #[test]
    fn oversized_event_is_refused_and_the_others_keep_order() {
        let events = [event("a"), event(&"b".repeat(2000)), event("c"), event("d")];
        let limits = Limits {
            events: 10,
            bytes: 1400,
            overhead: 0,
        };
        assert_eq!(sizes(&events, limits), [1, 0, 2]);
    }
}
