//! Routes and views of write events. Events are append-only, so no route changes or removes one.

mod append;
mod list;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Route, view::Envelope},
    record::{Record, WriteEvent},
    value::{ArtifactId, EventId, Kind, ProjectId, Text},
};

pub(super) const ROUTES: &[&Route] = &[&append::ROUTE, &list::ROUTE];

const EXAMPLE: &str = r#"{
  "id": "evt_01kzzhxeap6setpnf27a86q9qn",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "project_id": "prj_01kjdr7hbmxwc9att838g7qvrz01k43rchcznn1s8g39607h9k3k",
  "artifact_id": "art_01knj0g1kh5kr6prr26kkpsbhy",
  "kind": "note",
  "text": "Seen."
}"#;

/// A write event: something that a person wrote about a document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WriteEvent")]
pub(crate) struct EventView {
    #[serde(flatten)]
    envelope: Envelope<EventId>,
    project_id: ProjectId,
    artifact_id: ArtifactId,
    /// What kind of event it is, such as `comment`.
    kind: Kind,
    /// What the person wrote.
    text: Text,
}

impl From<&Record<WriteEvent>> for EventView {
    fn from(record: &Record<WriteEvent>) -> Self {
        let event = &record.body;
        Self {
            envelope: Envelope::of(record),
            project_id: event.project_id,
            artifact_id: event.artifact_id,
            kind: event.kind.clone(),
            text: event.text.clone(),
        }
    }
}
