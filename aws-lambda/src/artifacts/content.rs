//! The properties of an object, and its digest.

use aws_sdk_s3::{
    operation::head_object::HeadObjectOutput,
    types::{ChecksumMode, ChecksumType},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use wm_core::{
    operation::Stat,
    storage::ObjectPath,
    value::{Sha256, digest::Hasher},
};
use wm_service::ports::{PortError, PortErrorKind};

use super::{S3Artifacts, code};
use crate::error::port_error;

pub(super) async fn stat(
    store: &S3Artifacts,
    path: &ObjectPath,
    hash: bool,
) -> Result<Option<Stat>, PortError> {
    let head = store
        .client
        .head_object()
        .bucket(&store.bucket)
        .key(path.to_string())
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await;
    let head = match head {
        Ok(head) => head,
        Err(error) if code(&error) == Some("NotFound") => return Ok(None),
        Err(error) => return Err(port_error(error)),
    };
    let version = head.version_id.clone().filter(|version| version != "null");
    let sha256 = match stored_digest(&head) {
        None if hash => Some(read_digest(store, path, version.as_deref()).await?),
        known => known,
    };
    let size = head
        .content_length
        .and_then(|size| u64::try_from(size).ok());
    Ok(Some(Stat {
        size: size.unwrap_or_default(),
        sha256,
        version,
    }))
}

/// The digest that S3 computed on upload, if it covers the whole object. For an upload in parts it
/// is a digest of digests.
fn stored_digest(head: &HeadObjectOutput) -> Option<Sha256> {
    if head.checksum_type == Some(ChecksumType::Composite) {
        return None;
    }
    let bytes = BASE64_STANDARD.decode(head.checksum_sha256()?).ok()?;
    Some(Sha256::from_bytes(bytes.try_into().ok()?))
}

/// The digest of the stored object, computed by reading it in chunks.
async fn read_digest(
    store: &S3Artifacts,
    path: &ObjectPath,
    version: Option<&str>,
) -> Result<Sha256, PortError> {
    let answer = store
        .client
        .get_object()
        .bucket(&store.bucket)
        .key(path.to_string())
        .set_version_id(version.map(str::to_owned))
        .send()
        .await
        .map_err(port_error)?;
    let mut body = answer.body;
    let mut hasher = Hasher::default();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| PortError::new(PortErrorKind::Unavailable, error))?;
        hasher.update(&chunk);
    }
    Ok(hasher.finish())
}
