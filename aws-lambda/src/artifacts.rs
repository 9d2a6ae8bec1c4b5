//! The object store: one private S3 bucket, reached by presigned URLs.

mod content;
mod sign;

use aws_sdk_s3::{
    Client,
    config::{Builder, RequestChecksumCalculation},
    error::{ProvideErrorMetadata, SdkError},
    primitives::DateTime,
    types::{CompletedMultipartUpload, CompletedPart},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use wm_core::{
    operation::{Part, SignDownload, SignUpload, Stat},
    storage::ObjectPath,
    value::Timestamp,
};
use wm_service::ports::{Artifacts, PortError, PortErrorKind, SignedRequest};

use crate::{
    config::Config,
    error::port_error,
    sdk::{Timeouts, for_service},
};

/// The prefix of all objects.
const PREFIX: &str = "accounts/";

/// The object store port over a bucket.
#[derive(Debug, Clone)]
pub struct S3Artifacts {
    client: Client,
    bucket: String,
}

impl S3Artifacts {
    /// The bucket of the configuration.
    #[must_use]
    pub fn new(shared: &SdkConfig, config: &Config) -> Self {
        let settings = for_service(shared, config, "S3", Timeouts::OBJECTS);
        let settings = Builder::from(&settings)
            // Emulators answer at one host for all buckets.
            .force_path_style(settings.endpoint_url().is_some())
            // Otherwise the URL of a part would be bound to the checksum of an empty body.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        Self {
            client: Client::from_conf(settings),
            bucket: config.bucket.clone(),
        }
    }
}

impl Artifacts for S3Artifacts {
    async fn begin_parts(&self, upload: &SignUpload) -> Result<String, PortError> {
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(upload.path().to_string())
            .content_type(upload.media_type().as_str())
            .send()
            .await
            .map_err(port_error)?;
        let missing = || {
            PortError::new(
                PortErrorKind::Refused,
                "the service started an upload without an id",
            )
        };
        begun.upload_id.ok_or_else(missing)
    }

    async fn sign_upload(&self, upload: &SignUpload) -> Result<SignedRequest, PortError> {
        sign::upload(self, upload).await
    }

    async fn sign_parts(
        &self,
        upload: &SignUpload,
        upload_id: &str,
    ) -> Result<Vec<SignedRequest>, PortError> {
        sign::parts(self, upload, upload_id).await
    }

    async fn sign_download(&self, download: &SignDownload) -> Result<SignedRequest, PortError> {
        sign::download(self, download).await
    }

    async fn assemble(
        &self,
        path: &ObjectPath,
        upload_id: &str,
        parts: &[Part],
    ) -> Result<Option<Stat>, PortError> {
        let part = |part: &Part| {
            CompletedPart::builder()
                .part_number(i32::from(part.number))
                .e_tag(&part.etag)
                .build()
        };
        let parts = parts.iter().map(part).collect();
        let completed = CompletedMultipartUpload::builder().set_parts(Some(parts));
        let assembled = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(path.to_string())
            .upload_id(upload_id)
            .multipart_upload(completed.build())
            .if_none_match("*")
            .send()
            .await;
        match assembled {
            // Objects uploaded in parts are large. They are read and hashed later, when no request
            // waits.
            Ok(_) => self.stat(path, false).await,
            Err(error) => match code(&error) {
                // This request or another one has already assembled the object, or it was removed
                // and does not exist.
                Some("NoSuchUpload" | "PreconditionFailed") => self.stat(path, false).await,
                Some("InvalidPart" | "InvalidPartOrder" | "EntityTooSmall" | "MalformedXML") => {
                    Ok(None)
                }
                _ => Err(port_error(error)),
            },
        }
    }

    async fn stat(&self, path: &ObjectPath, hash: bool) -> Result<Option<Stat>, PortError> {
        content::stat(self, path, hash).await
    }

    async fn remove(&self, path: &ObjectPath, upload_id: Option<&str>) -> Result<(), PortError> {
        let key = path.to_string();
        let Some(upload_id) = upload_id else {
            let removal = self.client.delete_object().bucket(&self.bucket).key(key);
            return removal.send().await.map(drop).map_err(port_error);
        };
        let removal = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id);
        match removal.send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(port_error(error)),
        }
    }

    async fn older_than(
        &self,
        time: Timestamp,
        after: Option<&ObjectPath>,
        limit: u32,
    ) -> Result<Vec<ObjectPath>, PortError> {
        let time = DateTime::from_millis(time.millis());
        let limit = limit as usize;
        let mut paths = Vec::new();
        let mut after = after.map(ToString::to_string);
        loop {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(PREFIX)
                .set_start_after(after.take())
                .send()
                .await
                .map_err(port_error)?;
            let objects = page.contents.unwrap_or_default();
            let last = objects.last().and_then(|object| object.key.clone());
            let old = objects
                .into_iter()
                .filter(|object| object.last_modified.is_some_and(|written| written < time));
            // Ignore keys that are not object paths.
            let ours = old.filter_map(|object| object.key?.parse::<ObjectPath>().ok());
            paths.extend(ours.take(limit - paths.len()));
            if paths.len() >= limit || page.is_truncated != Some(true) || last.is_none() {
                return Ok(paths);
            }
            after = last;
        }
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
}
