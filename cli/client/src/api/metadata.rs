//! Metadata records of a document. They are appended and never change.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wm_core::value::{ArtifactId, MetadataId, ProjectId};

use super::{Revision, artifact_path};
use crate::{client::Client, error::ApiError};

/// Metadata to append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewMetadata {
    /// Names and values.
    pub values: Map<String, Value>,
}

/// Metadata as stored, with its author and time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Metadata {
    pub id: MetadataId,
    #[serde(flatten)]
    pub revision: Revision,
    /// Names and values.
    pub values: Map<String, Value>,
}

impl Client {
    /// Appends metadata to a document.
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
