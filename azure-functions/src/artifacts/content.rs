//! The properties of an object, and its digest.

use std::num::NonZero;

use azure_core::http::{Etag, StatusCode};
use azure_storage_blob::{
    BlobClient,
    models::{BlobClientDownloadOptions, BlobClientGetPropertiesResultHeaders},
};
use futures_util::StreamExt;
use wm_core::{
    operation::Stat,
    storage::ObjectPath,
    value::{Sha256, digest::Hasher},
};
use wm_service::ports::{PortError, PortErrorKind};

use super::{BlobArtifacts, code, within};
use crate::{error::port_error, sdk::Timeouts};

/// The number of bytes per chunk: 4 MiB.
const CHUNK: NonZero<usize> = NonZero::new(4 * 1024 * 1024).unwrap();
/// The number of chunks requested concurrently and held in memory.
const AT_ONCE: NonZero<usize> = NonZero::new(2).unwrap();

/// The service stores no SHA-256, so the digest is always computed from the bytes read.
pub(super) async fn stat(
    store: &BlobArtifacts,
    path: &ObjectPath,
    hash: bool,
) -> Result<Option<Stat>, PortError> {
    let blob = store.blob(path);
    let asked = within(Timeouts::OBJECTS.operation, blob.get_properties(None)).await?;
    let head = match asked {
        Ok(head) => head,
        Err(error) if code(&error) == Some("BlobNotFound") => return Ok(None),
        Err(error) => return Err(port_error(error)),
    };
    let version = head.version_id().map_err(port_error)?;
    let sha256 = if hash {
        let etag = head.etag().map_err(port_error)?;
        Some(read_digest(&blob, version.as_deref(), etag).await?)
    } else {
        None
    };
    let size = head.content_length().map_err(port_error)?;
    Ok(Some(Stat {
        size: size.unwrap_or_default(),
        sha256,
        version,
    }))
}

/// The digest of the stored object, computed by reading it in chunks.
async fn read_digest(
    blob: &BlobClient,
    version: Option<&str>,
    etag: Option<Etag>,
) -> Result<Sha256, PortError> {
    let versioned = version.map(|version| blob.with_version(version));
    let versioned = versioned.transpose().map_err(port_error)?;
    let options = BlobClientDownloadOptions {
        if_match: etag,
        parallel: Some(AT_ONCE),
        partition_size: Some(CHUNK),
        ..Default::default()
    };
    let call = versioned.as_ref().unwrap_or(blob).download(Some(options));
    let answer = within(Timeouts::OBJECTS.operation, call).await?;
    let mut body = answer.map_err(changed)?.body;
    let mut hasher = Hasher::default();
    while let Some(chunk) = within(Timeouts::OBJECTS.attempt, body.next()).await? {
        hasher.update(&chunk.map_err(changed)?);
    }
    Ok(hasher.finish())
}

/// An object that was removed or changed during the read must be examined again.
fn changed(error: azure_core::Error) -> PortError {
    let status = error.http_status();
    if matches!(
        status,
        Some(StatusCode::PreconditionFailed | StatusCode::NotFound)
    ) {
        return PortError::new(PortErrorKind::Unavailable, error);
    }
    port_error(error)
}
