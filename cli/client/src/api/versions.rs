//! Versions of a document: upload, download and history.

use serde::{Deserialize, Serialize};
use wm_core::{
    operation::plan::{DownloadUrl, UploadPlan},
    record::ContentStatus,
    value::{ArtifactId, FileName, MediaType, ProjectId, Sha256, Size, UserId},
};

use super::{Empty, Page, Revision, artifact_path, page_path};
use crate::{client::Client, error::ApiError};

/// The declared content of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct NewContent {
    pub name: FileName,
    pub media_type: MediaType,
    /// The size in bytes.
    pub size: Size,
    /// The SHA-256 digest of the bytes.
    pub sha256: Sha256,
}

/// Selects one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct VersionRef {
    pub project: ProjectId,
    /// The document.
    pub artifact: ArtifactId,
    /// The version number, starting at 1.
    pub number: u32,
}

impl VersionRef {
    pub(crate) fn path(&self) -> String {
        let artifact = artifact_path(self.project, self.artifact);
        format!("{artifact}/versions/{}", self.number)
    }
}

/// The raw bytes of a document under one number. They never change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Version {
    /// The version number, starting at 1.
    pub number: u32,
    #[serde(flatten)]
    pub revision: Revision,
    /// The document.
    pub artifact_id: ArtifactId,
    pub name: FileName,
    pub media_type: MediaType,
    /// The size in bytes.
    pub size: Size,
    /// The SHA-256 digest of the bytes.
    pub sha256: Sha256,
    /// The state of the upload.
    pub status: ContentStatus,
    /// The person who declared the content.
    pub uploaded_by: UserId,
    /// The number of the version that this one restores.
    #[serde(default)]
    pub restored_from: Option<u32>,
}

/// A declared version that waits for its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct CreatedVersion {
    pub version: Version,
    /// The upload plan. `None` if the bytes have already arrived.
    #[serde(default)]
    pub upload: Option<UploadPlan>,
}

/// A part that the object store accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UploadedPart {
    /// The part number, starting at 1.
    pub number: u16,
    /// The `ETag` in the answer of the object store. `none` if the answer had none.
    pub etag: String,
}

/// The body that completes an upload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CompletedUpload {
    /// All parts in ascending order. Empty for an upload in one request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<UploadedPart>,
}

#[derive(Deserialize)]
struct IssuedUpload {
    upload: UploadPlan,
}

impl Client {
    /// Declares a further version of a document.
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

    /// Lists the versions of a document.
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
    /// Any [`ApiError`]. The status is 409 if the version no longer waits for bytes.
    pub async fn renew_upload(&self, version: VersionRef) -> Result<UploadPlan, ApiError> {
        let path = format!("{}/upload", version.path());
        let issued: IssuedUpload = self.post(&path, &Empty {}).await?;
        Ok(issued.upload)
    }

    /// Completes an upload. The verification of a large object can still run when the answer
    /// arrives.
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
    pub async fn download_url(&self, version: VersionRef) -> Result<DownloadUrl, ApiError> {
        let path = format!("{}/download", version.path());
        self.post(&path, &Empty {}).await
    }

    /// Restores an earlier version as the newest version.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn restore_version(&self, version: VersionRef) -> Result<Version, ApiError> {
        let path = format!("{}/restore", version.path());
        self.post(&path, &Empty {}).await
    }
}
