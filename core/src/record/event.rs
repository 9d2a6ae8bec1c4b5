use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{ArtifactId, EventId, Kind, ProjectId, Text, Timestamp},
};

/// Something a person wrote about an artifact: a comment, a decision, a note. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteEvent {
    /// The project.
    pub project_id: ProjectId,
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// When it was appended; part of the key.
    pub at: Timestamp,
    /// What kind of event it is.
    pub kind: Kind,
    /// What was written.
    pub text: Text,
}

impl Body for WriteEvent {
    const FAMILY: Family = Family::WriteEvent;
    type Id = EventId;

    fn key(&self, id: &EventId) -> Key {
        Scope::Project(self.project_id).key(Sort::event(self.artifact_id, self.at, *id))
    }
}
