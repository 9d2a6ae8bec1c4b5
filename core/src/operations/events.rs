//! Write events of an artifact: append-only, so there is no route to change or remove one.

pub mod append;
pub mod list;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Route, view::Envelope},
    record::{Record, WriteEvent},
    value::{ArtifactId, EventId, Kind, ProjectId, Text},
};

/// The routes.
pub const ROUTES: &[&Route] = &[&append::ROUTE, &list::ROUTE];

/// A write event, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WriteEvent")]
pub struct EventView {
    #[serde(flatten)]
    envelope: Envelope<EventId>,
    project_id: ProjectId,
    artifact_id: ArtifactId,
    kind: Kind,
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
