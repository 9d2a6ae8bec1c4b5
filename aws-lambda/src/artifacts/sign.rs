//! Presigned addresses: each reaches one object, for one purpose, for a limited time.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use base64::{Engine, prelude::BASE64_STANDARD};
use wm_core::{
    operation::{SignDownload, SignUpload},
    value::Timestamp,
};
use wm_service::{
    clock::now,
    ports::{PortError, PortErrorKind, SignedRequest},
};

use super::S3Artifacts;
use crate::error::port_error;

/// No address lives longer than this from the moment it is signed, whatever was asked for.
const LONGEST: Duration = Duration::from_hours(24);

/// Headers that every client sends by itself, and that browsers let nobody set.
const SENT_ANYWAY: [&str; 2] = ["content-length", "host"];

/// One PUT of exactly these bytes, which creates the object or is refused: length, type, digest and
/// the condition are all signed.
pub(super) async fn single(
    store: &S3Artifacts,
    upload: &SignUpload,
) -> Result<SignedRequest, PortError> {
    let signed = store
        .client
        .put_object()
        .bucket(&store.bucket)
        .key(upload.path.to_string())
        .content_length(length(upload.size.bytes())?)
        .content_type(upload.media_type.as_str())
        .checksum_sha256(BASE64_STANDARD.encode(upload.sha256.as_bytes()))
        .if_none_match("*")
        .presigned(lifetime(upload.expires_at)?)
        .await
        .map_err(port_error)?;
    Ok(request("PUT", &signed))
}

/// One PUT per part, each of exactly its length. What they add up to is verified when it is assembled.
pub(super) async fn parts(
    store: &S3Artifacts,
    upload: &SignUpload,
    upload_id: &str,
) -> Result<Vec<SignedRequest>, PortError> {
    let mut requests = Vec::new();
    for (number, size) in upload.parts() {
        let signed = store
            .client
            .upload_part()
            .bucket(&store.bucket)
            .key(upload.path.to_string())
            .upload_id(upload_id)
            .part_number(i32::from(number))
            .content_length(length(size)?)
            .presigned(lifetime(upload.expires_at)?)
            .await
            .map_err(port_error)?;
        requests.push(request("PUT", &signed));
    }
    Ok(requests)
}

/// A GET of exactly the version that was verified, saved under its name and never shown.
pub(super) async fn download(
    store: &S3Artifacts,
    download: &SignDownload,
) -> Result<SignedRequest, PortError> {
    let signed = store
        .client
        .get_object()
        .bucket(&store.bucket)
        .key(download.path.to_string())
        .set_version_id(download.object_version.clone())
        .response_content_type(download.media_type.as_str())
        .response_content_disposition(download.file.attachment())
        .response_cache_control("private, no-store")
        .presigned(lifetime(download.expires_at)?)
        .await
        .map_err(port_error)?;
    Ok(request("GET", &signed))
}

fn lifetime(expires_at: Timestamp) -> Result<PresigningConfig, PortError> {
    let left = expires_at.millis().saturating_sub(now().millis());
    let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
    // Whole seconds are signed; a plan that ends now is signed for the one it ends in.
    let left = left.clamp(Duration::from_secs(1), LONGEST);
    PresigningConfig::expires_in(left).map_err(refused)
}

fn length(bytes: u64) -> Result<i64, PortError> {
    i64::try_from(bytes).map_err(refused)
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> PortError {
    PortError::new(PortErrorKind::Refused, error)
}

/// What the client is to send: the headers that are signed, but for those it sends anyway. Inside a
/// function the SDK adds one of its own for tracing, which is none of the client's business.
fn request(method: &'static str, signed: &PresignedRequest) -> SignedRequest {
    let names = signed_headers(signed.uri());
    let headers = signed
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .filter(|(name, _)| names.contains(&name.as_str()))
        .filter(|(name, _)| !SENT_ANYWAY.contains(&name.as_str()))
        .collect();
    SignedRequest {
        method,
        url: signed.uri().to_owned(),
        headers,
    }
}

/// The names in `X-Amz-SignedHeaders`, which a URL separates by an encoded `;`.
fn signed_headers(url: &str) -> Vec<&str> {
    let parameter = url
        .split(['?', '&'])
        .find_map(|parameter| parameter.strip_prefix("X-Amz-SignedHeaders="));
    parameter.unwrap_or_default().split("%3B").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_signed_is_asked_for() {
        let url = "https://bucket/key?X-Amz-Date=1&X-Amz-SignedHeaders=content-type%3Bhost&x-id=PutObject";
        assert_eq!(signed_headers(url), ["content-type", "host"]);
        assert_eq!(signed_headers("https://bucket/key"), [""]);
    }
}
