use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{ArtifactId, MetadataId, ProjectId, Timestamp},
};

/// One statement about an artifact at one time. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The project.
    pub project_id: ProjectId,
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// When it was appended; part of the key.
    pub at: Timestamp,
    /// What it says: at most [`Metadata::BYTES`] of JSON.
    pub values: Map<alloc::string::String, Value>,
}

impl Metadata {
    /// The most bytes of JSON one record may hold.
    pub const BYTES: usize = 64 * 1024;
    /// The deepest nesting one record may have.
    pub const DEPTH: usize = 16;
}

impl Body for Metadata {
    const FAMILY: Family = Family::Metadata;
    type Id = MetadataId;

    fn key(&self, id: &MetadataId) -> Key {
        Scope::Project(self.project_id).key(Sort::metadata(self.artifact_id, self.at, *id))
    }
}
