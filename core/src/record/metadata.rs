use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{ArtifactId, MetadataId, ProjectId, Timestamp},
};

/// A metadata record of a document. It is appended once and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Metadata {
    pub project_id: ProjectId,
    /// The document.
    pub artifact_id: ArtifactId,
    /// The time at which it was appended. Part of the key.
    pub at: Timestamp,
    /// The values, at most [`Metadata::BYTES`] bytes of JSON.
    pub values: Map<alloc::string::String, Value>,
}

impl Metadata {
    /// The maximum size of the values, in bytes of JSON.
    pub const BYTES: usize = 64 * 1024;
    /// The maximum nesting depth of the values.
    pub const DEPTH: usize = 16;
}

impl Body for Metadata {
    const FAMILY: Family = Family::Metadata;
    type Id = MetadataId;

    fn key(&self, id: &MetadataId) -> Key {
        Scope::Project(self.project_id).key(Sort::metadata(self.artifact_id, self.at, *id))
    }
}
