use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{ArtifactId, EventId, Kind, ProjectId, Text, Timestamp},
};

/// A text that a person appended to a document, such as a comment, a decision or a note. It never
/// changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct WriteEvent {
    pub project_id: ProjectId,
    /// The document.
    pub artifact_id: ArtifactId,
    /// The time at which it was appended. Part of the key.
    pub at: Timestamp,
    /// The kind of event, such as `review.note`.
    pub kind: Kind,
    pub text: Text,
}

impl Body for WriteEvent {
    const FAMILY: Family = Family::WriteEvent;
    type Id = EventId;

    fn key(&self, id: &EventId) -> Key {
        Scope::Project(self.project_id).key(Sort::event(self.artifact_id, self.at, *id))
    }
}
