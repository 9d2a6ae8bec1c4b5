//! The object store: one private container of Blob Storage, reached by shared access signatures.

mod content;
mod delegation;
mod listing;
mod parts;
mod sign;

use std::{fmt, sync::Arc, time::Duration};

use azure_core::{error::ErrorKind, http::Url};
use azure_storage_blob::{
    BlobClient, BlobContainerClient, BlobServiceClient, BlobServiceClientOptions,
    models::{BlobClientDeleteOptions, DeleteSnapshotsOptionType},
};
use wm_core::{
    operation::{Part, SignDownload, SignUpload, Stat},
    storage::ObjectPath,
    value::Timestamp,
};
use wm_service::ports::{Artifacts, PortError, PortErrorKind, SignedRequest};

use self::{delegation::DelegationKeys, sign::Signer};
use crate::{
    config::{Config, Storage},
    error::port_error,
    sdk::{Sdk, SdkError, Timeouts},
};

/// The prefix of all objects.
const PREFIX: &str = "accounts/";

/// The object store port over a container.
pub struct BlobArtifacts {
    container: BlobContainerClient,
    keys: DelegationKeys,
    storage: Storage,
}

impl fmt::Debug for BlobArtifacts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlobArtifacts")
            .field("storage", &self.storage)
            .finish_non_exhaustive()
    }
}

impl BlobArtifacts {
    /// The container of the configuration. It opens no connection.
    ///
    /// # Errors
    /// If the configured URL is invalid.
    pub fn new(sdk: &Sdk, config: &Config) -> Result<Self, SdkError> {
        let endpoint = Url::parse(&config.storage.endpoint).map_err(azure_core::Error::from)?;
        let service = |timeouts| {
            let options = BlobServiceClientOptions {
                client_options: sdk.client_options(timeouts),
                ..Default::default()
            };
            let credential = Some(Arc::clone(&sdk.credential));
            BlobServiceClient::new(endpoint.clone(), credential, Some(options))
        };
        Ok(Self {
            container: service(Timeouts::OBJECTS)?.blob_container_client(&config.storage.container),
            keys: DelegationKeys::new(service(Timeouts::SERVICE)?),
            storage: config.storage.clone(),
        })
    }

    fn blob(&self, path: &ObjectPath) -> BlobClient {
        self.container.blob_client(&path.to_string())
    }
}

impl Artifacts for BlobArtifacts {
    async fn begin_parts(&self, _: &SignUpload) -> Result<String, PortError> {
        parts::begin()
    }

    async fn sign_upload(&self, upload: &SignUpload) -> Result<SignedRequest, PortError> {
        Signer::new(self, upload.expires_at()).await?.upload(upload)
    }

    async fn sign_parts(
        &self,
        upload: &SignUpload,
        upload_id: &str,
    ) -> Result<Vec<SignedRequest>, PortError> {
        let signer = Signer::new(self, upload.expires_at()).await?;
        signer.parts(upload, upload_id)
    }

    async fn sign_download(&self, download: &SignDownload) -> Result<SignedRequest, PortError> {
        let signer = Signer::new(self, download.expires_at()).await?;
        signer.download(download)
    }

    async fn assemble(
        &self,
        path: &ObjectPath,
        upload_id: &str,
        parts: &[Part],
    ) -> Result<Option<Stat>, PortError> {
        parts::assemble(self, path, upload_id, parts).await
    }

    async fn stat(&self, path: &ObjectPath, hash: bool) -> Result<Option<Stat>, PortError> {
        content::stat(self, path, hash).await
    }

    /// Removes an object. An unfinished upload in parts needs no removal: the service deletes
    /// uncommitted blocks a week after the last one arrived
    /// (<https://learn.microsoft.com/rest/api/storageservices/put-block>).
    async fn remove(&self, path: &ObjectPath, upload_id: Option<&str>) -> Result<(), PortError> {
        if upload_id.is_some() {
            return Ok(());
        }
        let options = BlobClientDeleteOptions {
            // A blob with snapshots cannot be deleted alone.
            delete_snapshots: Some(DeleteSnapshotsOptionType::Include),
            ..Default::default()
        };
        let blob = self.blob(path);
        match within(Timeouts::OBJECTS.operation, blob.delete(Some(options))).await? {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("BlobNotFound") => Ok(()),
            Err(error) => Err(port_error(error)),
        }
    }

    async fn older_than(
        &self,
        time: Timestamp,
        after: Option<&ObjectPath>,
        limit: u32,
    ) -> Result<Vec<ObjectPath>, PortError> {
        listing::older_than(self, time, after, limit as usize).await
    }
}

/// The result of a call within this time. After a timeout, the effect of the call is unknown.
async fn within<T>(limit: Duration, call: impl IntoFuture<Output = T>) -> Result<T, PortError> {
    tokio::time::timeout(limit, call)
        .await
        .map_err(|late| PortError::new(PortErrorKind::Unavailable, late))
}

/// The error code of the service.
fn code(error: &azure_core::Error) -> Option<&str> {
    match error.kind() {
        ErrorKind::HttpResponse { error_code, .. } => error_code.as_deref(),
        _ => None,
    }
}
