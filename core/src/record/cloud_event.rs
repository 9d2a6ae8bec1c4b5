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

/// One journal entry as the bus carries it. It names records by key and holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// `{surface}/{scope}/{seq}`: the same for every delivery of one entry.
    pub id: String,
    /// `/surfaces/{surface}`.
    pub source: String,
    /// `wm.` and the event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The scope.
    pub subject: String,
    /// When it was committed.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// What happened.
    pub data: EventData,
}

/// The payload of an event: the journal entry's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventData {
    /// The surface that committed.
    pub surface: SurfaceId,
    /// The scope.
    pub scope: Scope,
    /// The entry's number in the scope.
    pub seq: u64,
    /// What happened.
    pub event: EventType,
    /// Who did it.
    pub actor: crate::record::Author,
    /// In which request.
    pub request_id: crate::value::RequestId,
    /// What changed.
    pub changes: alloc::vec::Vec<crate::record::Change>,
}

impl CloudEvent {
    /// The event of a journal entry.
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
