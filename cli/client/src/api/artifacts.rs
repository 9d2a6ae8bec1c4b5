//! Documents of a project. Paths and types call them artifacts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wm_core::{
    operation::plan::UploadPlan,
    value::{ArtifactId, FileName, Label, MediaType, ProjectId, Sha256, Size},
};

use super::{
    Page, Revision, artifact_path, page_path,
    versions::{NewContent, Version},
};
use crate::{client::Client, error::ApiError};

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Artifact {
    pub id: ArtifactId,
    #[serde(flatten)]
    pub revision: Revision,
    pub project_id: ProjectId,
    pub name: FileName,
    /// Labels set by users.
    pub labels: BTreeMap<Label, Label>,
    /// The number of declared versions.
    pub versions: u32,
    /// The newest available version. `None` until the first version is available.
    pub current: Option<CurrentVersion>,
}

/// The newest available version of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct CurrentVersion {
    /// The version number, starting at 1.
    pub number: u32,
    pub media_type: MediaType,
    /// The size in bytes.
    pub size: Size,
    /// The SHA-256 digest of the bytes.
    pub sha256: Sha256,
}

/// A declared document. Its first version waits for its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CreatedArtifact {
    /// The document.
    pub artifact: Artifact,
    /// The first version.
    pub version: Version,
    /// The upload plan. `None` if the bytes have already arrived.
    #[serde(default)]
    pub upload: Option<UploadPlan>,
}

impl Client {
    /// Declares a document and its first version.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn create_artifact(
        &self,
        project: ProjectId,
        content: &NewContent,
    ) -> Result<CreatedArtifact, ApiError> {
        let path = format!("/v1/projects/{project}/artifacts");
        self.post(&path, content).await
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn artifact(
        &self,
        project: ProjectId,
        artifact: ArtifactId,
    ) -> Result<Artifact, ApiError> {
        self.get(&artifact_path(project, artifact)).await
    }

    /// Lists the documents of a project.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn artifacts(
        &self,
        project: ProjectId,
        cursor: Option<&str>,
    ) -> Result<Page<Artifact>, ApiError> {
        let path = format!("/v1/projects/{project}/artifacts");
        self.get(&page_path(&path, cursor)).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn artifact_ignores_members_it_does_not_know() {
        let artifact = json!({
            "id": "art_01h2xcejqtf2nbrexx3vqjhp41", "version": 1,
            "created_at": "2026-01-02T03:04:05.678Z", "created_by": "system",
            "updated_at": "2026-01-02T03:04:05.678Z", "updated_by": "system",
            "project_id": "prj_01h2xcejqtf2nbrexx3vqjhp4101h2xcejqtf2nbrexx3vqjhp41",
            "name": "a.txt", "labels": {}, "versions": 1, "storage_provider": "local",
            "current": {
                "number": 1, "media_type": "text/plain", "size": 0,
                "sha256": Sha256::of(b"").to_string(), "later": true,
            },
            "later": true,
        });
        let artifact: Artifact = serde_json::from_value(artifact).unwrap();
        assert_eq!(artifact.revision.version, 1);
        assert_eq!(artifact.current.unwrap().number, 1);
    }
}
