//! Published events (CloudEvents 1.0).

use alloc::{
    format,
    string::{String, ToString},
};

use serde::{Deserialize, Serialize};

use crate::{
    record::{EventType, JournalEntry},
    storage::Scope,
    value::{SurfaceId, Timestamp},
};

/// A journal entry as an event on the bus. It names records by key and contains no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// `{surface}/{scope}/{seq}`. All deliveries of one entry have the same id.
    pub id: String,
    /// `/surfaces/{surface}`.
    pub source: String,
    /// The event type with the prefix `wm.`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The scope of the entry.
    pub subject: String,
    /// The time of the commit.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// The content of the journal entry.
    pub data: EventData,
}

/// The payload of an event, copied from the journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct EventData {
    /// The surface that made the commit.
    pub surface: SurfaceId,
    pub scope: Scope,
    /// The number of the entry in its scope.
    pub seq: u64,
    pub event: EventType,
    /// The author of the commit.
    pub actor: crate::record::Author,
    /// The request that caused the commit.
    pub request_id: crate::value::RequestId,
    pub changes: alloc::vec::Vec<crate::record::Change>,
}

impl CloudEvent {
    /// The event of this journal entry.
    #[must_use]
    pub fn of(entry: &JournalEntry) -> Self {
        let JournalEntry {
            surface,
            scope,
            seq,
            ..
        } = entry;
        Self {
            specversion: "1.0".into(),
            id: format!("{surface}/{scope}/{seq}"),
            source: format!("/surfaces/{surface}"),
            kind: format!("wm.{}", entry.event.as_str()),
            subject: scope.to_string(),
            time: entry.at,
            datacontenttype: "application/json".into(),
            data: EventData {
                surface: *surface,
                scope: *scope,
                seq: *seq,
                event: entry.event,
                actor: entry.actor,
                request_id: entry.request_id,
                changes: entry.changes.clone(),
            },
        }
    }
}
