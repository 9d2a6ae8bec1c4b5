//! Outputs derived from a version, such as a summary.

use serde::{Deserialize, Serialize};
use wm_core::{
    operation::plan::UploadPlan,
    record::ContentStatus,
    value::{ArtifactId, DerivedId, FileName, Kind, ProjectId, Sha256, Size},
};

use super::{
    Revision, artifact_path,
    versions::{CompletedUpload, NewContent},
};
use crate::{client::Client, error::ApiError};

/// A derived output to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewDerived {
    /// The number of the source version.
    pub source_version: u32,
    /// The kind, such as `summary`.
    pub kind: Kind,
    /// The declared content.
    #[serde(flatten)]
    pub content: NewContent,
    /// The output it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<DerivedId>,
}

/// A file made from one version of a document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Derived {
    pub id: DerivedId,
    #[serde(flatten)]
    pub revision: Revision,
    /// The number of the source version.
    pub source_version: u32,
    /// The kind, such as `summary`.
    pub kind: Kind,
    pub name: FileName,
    /// The size in bytes.
    pub size: Size,
    /// The SHA-256 digest of the bytes.
    pub sha256: Sha256,
    /// The state of the upload.
    pub status: ContentStatus,
}

/// A declared output that waits for its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CreatedDerived {
    /// The output.
    pub derived: Derived,
    /// The upload plan. `None` if the bytes have already arrived.
    #[serde(default)]
    pub upload: Option<UploadPlan>,
}

impl Client {
    /// Declares an output derived from a version.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn create_derived(
        &self,
        project: ProjectId,
        artifact: ArtifactId,
        derived: &NewDerived,
    ) -> Result<CreatedDerived, ApiError> {
        let path = format!("{}/derived", artifact_path(project, artifact));
        self.post(&path, derived).await
    }

    /// Completes the upload of a derived output.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn complete_derived(
        &self,
        project: ProjectId,
        artifact: ArtifactId,
        derived: DerivedId,
        upload: &CompletedUpload,
    ) -> Result<Derived, ApiError> {
        let artifact = artifact_path(project, artifact);
        let path = format!("{artifact}/derived/{derived}/complete");
        self.post(&path, upload).await
    }
}
