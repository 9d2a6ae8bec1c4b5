//! Metadata of an artifact: records that are only appended.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wm_core::value::{ArtifactId, MetadataId, ProjectId};

use super::{Revision, artifact_path};
use crate::{client::Client, error::ApiError};

/// Metadata to append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewMetadata {
    /// Names and their values.
    pub values: Map<String, Value>,
}

/// A metadata record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// The id.
    pub id: MetadataId,
    /// Which version of the record this is.
    #[serde(flatten)]
    pub revision: Revision,
    /// Names and their values.
    pub values: Map<String, Value>,
}

impl Client {
    /// Appends metadata to an artifact.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn append_metadata(
        &self,
        project: ProjectId,
        artifact: ArtifactId,
        metadata: &NewMetadata,
    ) -> Result<Metadata, ApiError> {
        let path = format!("{}/metadata", artifact_path(project, artifact));
        self.post(&path, metadata).await
    }
}
