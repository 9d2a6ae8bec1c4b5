//! Versions of an artifact: their upload, their download, their history.

use serde::{Deserialize, Serialize};
use wm_core::{
    operation::plan::{DownloadAddress, UploadPlan},
    record::ContentStatus,
    value::{ArtifactId, FileName, MediaType, ProjectId, Sha256, Size, UserId},
};

use super::{Empty, Page, Revision, artifact_path, page_path};
use crate::{client::Client, error::ApiError};

/// The declared bytes of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewContent {
    /// The file name.
    pub name: FileName,
    /// The media type.
    pub media_type: MediaType,
    /// The size in bytes.
    pub size: Size,
    /// The digest of all bytes.
    pub sha256: Sha256,
}

/// Names one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionRef {
    /// The project.
    pub project: ProjectId,
    /// The artifact.
    pub artifact: ArtifactId,
    /// The version's number, from 1.
    pub number: u32,
}

impl VersionRef {
    /// The path of the version.
    pub(crate) fn path(&self) -> String {
        let artifact = artifact_path(self.project, self.artifact);
        format!("{artifact}/versions/{}", self.number)
    }
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// The number, from 1.
    pub number: u32,
    /// Which version of the record this is.
    #[serde(flatten)]
    pub revision: Revision,
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// The file name.
    pub name: FileName,
    /// The media type.
    pub media_type: MediaType,
    /// The size in bytes.
    pub size: Size,
    /// The digest of all bytes.
    pub sha256: Sha256,
    /// The state of the upload.
    pub status: ContentStatus,
    /// The person who declared it.
    pub uploaded_by: UserId,
    /// The version it restores.
    #[serde(default)]
    pub restored_from: Option<u32>,
}

/// A declared version that waits for its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CreatedVersion {
    /// The version.
    pub version: Version,
    /// How to upload the bytes; `None` once they have arrived.
    #[serde(default)]
    pub upload: Option<UploadPlan>,
}

/// A part that the storage accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UploadedPart {
    /// The number, from 1.
    pub number: u16,
    /// The `ETag` the storage answered, or `none` if it answered without one.
    pub etag: String,
}

/// The body that completes an upload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CompletedUpload {
    /// All parts, ascending; empty for an upload in one request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<UploadedPart>,
}

#[derive(Deserialize)]
struct IssuedUpload {
    upload: UploadPlan,
}

impl Client {
    /// Declares a further version of an artifact.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn create_version(
        &self,
        project: ProjectId,
        artifact: ArtifactId,
        content: &NewContent,
    ) -> Result<CreatedVersion, ApiError> {
        let path = format!("{}/versions", artifact_path(project, artifact));
        self.post(&path, content).await
    }

    /// Reads a version.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn version(&self, version: VersionRef) -> Result<Version, ApiError> {
        self.get(&version.path()).await
    }

    /// Lists the versions of an artifact.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn versions(
        &self,
        project: ProjectId,
        artifact: ArtifactId,
        cursor: Option<&str>,
    ) -> Result<Page<Version>, ApiError> {
        let path = format!("{}/versions", artifact_path(project, artifact));
        self.get(&page_path(&path, cursor)).await
    }

    /// Renews the upload plan of a version that waits for its bytes.
    ///
    /// # Errors
    /// Any [`ApiError`]; status 409 when the version waits no longer.
    pub async fn renew_upload(&self, version: VersionRef) -> Result<UploadPlan, ApiError> {
        let path = format!("{}/upload", version.path());
        let issued: IssuedUpload = self.post(&path, &Empty {}).await?;
        Ok(issued.upload)
    }

    /// Completes an upload. The surface may still be verifying a large object when it answers.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn complete_upload(
        &self,
        version: VersionRef,
        upload: &CompletedUpload,
    ) -> Result<Version, ApiError> {
        let path = format!("{}/complete", version.path());
        self.post(&path, upload).await
    }

    /// Signs a download of a version.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn download_address(&self, version: VersionRef) -> Result<DownloadAddress, ApiError> {
        let path = format!("{}/download", version.path());
        self.post(&path, &Empty {}).await
    }

    /// Makes the bytes of an earlier version the newest version.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn restore_version(&self, version: VersionRef) -> Result<Version, ApiError> {
        let path = format!("{}/restore", version.path());
        self.post(&path, &Empty {}).await
    }
}
