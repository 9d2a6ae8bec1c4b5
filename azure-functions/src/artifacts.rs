//! The object store: one private container of Blob Storage, behind shared access signatures.

use wm_core::{
    facts::{Part, Stat},
    storage::ObjectPath,
    use_case::{SignDownload, SignUpload},
    value::Timestamp,
};
use wm_service::ports::{Artifacts, PortError, PortErrorKind, SignedRequest};

use crate::{
    config::Config,
    sdk::{Sdk, SdkError},
};

/// The port over a container.
#[derive(Debug, Clone)]
pub struct BlobArtifacts;

impl BlobArtifacts {
    /// The container the handler is configured with.
    ///
    /// # Errors
    /// [`SdkError`].
    pub fn new(_: &Sdk, _: &Config) -> Result<Self, SdkError> {
        Ok(Self)
    }
}

impl Artifacts for BlobArtifacts {
    async fn begin_parts(&self, _: &SignUpload) -> Result<String, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn sign_upload(
        &self,
        _: &SignUpload,
        _: Option<&str>,
    ) -> Result<Vec<SignedRequest>, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn sign_download(&self, _: &SignDownload) -> Result<SignedRequest, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn assemble(
        &self,
        _: &ObjectPath,
        _: &str,
        _: &[Part],
    ) -> Result<Option<Stat>, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn stat(&self, _: &ObjectPath, _: bool) -> Result<Option<Stat>, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn remove(&self, _: &ObjectPath, _: Option<&str>) -> Result<(), PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn older_than(
        &self,
        _: Timestamp,
        _: Option<&ObjectPath>,
        _: u32,
    ) -> Result<Vec<ObjectPath>, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
}
