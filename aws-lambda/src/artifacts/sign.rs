//! Presigned URLs. Each allows one purpose, for one object, for a limited time.

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

/// The maximum lifetime of a URL, whatever the plan asks for.
const LONGEST: Duration = Duration::from_hours(24);

/// Headers that every client sends by itself. Browsers do not let scripts set them.
const IMPLICIT_HEADERS: [&str; 2] = ["content-length", "host"];

/// One PUT of exactly these bytes, which creates the object or is refused. The signature covers
/// length, type, digest and the condition.
pub(super) async fn upload(
    store: &S3Artifacts,
    upload: &SignUpload,
) -> Result<SignedRequest, PortError> {
    let signed = store
        .client
        .put_object()
        .bucket(&store.bucket)
        .key(upload.path().to_string())
        .content_length(length(upload.size().bytes())?)
        .content_type(upload.media_type().as_str())
        .checksum_sha256(BASE64_STANDARD.encode(upload.sha256().as_bytes()))
        .if_none_match("*")
        .presigned(lifetime(upload.expires_at())?)
        .await
        .map_err(port_error)?;
    Ok(request("PUT", &signed))
}

/// One PUT per part, each with its exact length. Assembling verifies the whole object.
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
            .key(upload.path().to_string())
            .upload_id(upload_id)
            .part_number(i32::from(number))
            .content_length(length(size)?)
            .presigned(lifetime(upload.expires_at())?)
            .await
            .map_err(port_error)?;
        requests.push(request("PUT", &signed));
    }
    Ok(requests)
}

/// A GET of exactly the verified version, as an attachment with its file name.
pub(super) async fn download(
    store: &S3Artifacts,
    download: &SignDownload,
) -> Result<SignedRequest, PortError> {
    let signed = store
        .client
        .get_object()
        .bucket(&store.bucket)
        .key(download.path().to_string())
        .set_version_id(download.object_version().map(str::to_owned))
        .response_content_type(download.media_type().as_str())
        .response_content_disposition(download.file().attachment())
        .response_cache_control("private, no-store")
        .presigned(lifetime(download.expires_at())?)
        .await
        .map_err(port_error)?;
    Ok(request("GET", &signed))
}

fn lifetime(expires_at: Timestamp) -> Result<PresigningConfig, PortError> {
    let remaining = expires_at.millis().saturating_sub(now().millis());
    let remaining = Duration::from_millis(u64::try_from(remaining).unwrap_or_default());
    // Signatures last whole seconds. A plan that ends now is signed for the current second.
    let remaining = remaining.clamp(Duration::from_secs(1), LONGEST);
    PresigningConfig::expires_in(remaining).map_err(refused)
}

fn length(bytes: u64) -> Result<i64, PortError> {
    i64::try_from(bytes).map_err(refused)
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> PortError {
    PortError::new(PortErrorKind::Refused, error)
}

/// The headers that the client must send: the signed ones, except those that every client sends.
/// Inside a function, the SDK adds a header for tracing, which is left out.
fn request(method: &'static str, signed: &PresignedRequest) -> SignedRequest {
    let names = signed_headers(signed.uri());
    let headers = signed
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .filter(|(name, _)| names.contains(&name.as_str()))
        .filter(|(name, _)| !IMPLICIT_HEADERS.contains(&name.as_str()))
        .collect();
    SignedRequest {
        method,
        url: signed.uri().to_owned(),
        headers,
    }
}

/// The names in `X-Amz-SignedHeaders`. In a URL, an encoded `;` separates them.
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
    fn signed_request_lists_only_signed_headers() {
        let url = "https://bucket/key?X-Amz-Date=1&X-Amz-SignedHeaders=content-type%3Bhost&x-id=PutObject";
        assert_eq!(signed_headers(url), ["content-type", "host"]);
        assert_eq!(signed_headers("https://bucket/key"), [""]);
    }
}
