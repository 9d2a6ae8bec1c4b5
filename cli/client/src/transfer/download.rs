//! Download of one version. The digest is verified before the file gets its name.

mod partial;

use std::path::PathBuf;

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use wm_core::{
    operation::plan::DownloadUrl,
    value::{ArtifactId, ProjectId},
};

use self::partial::{Partial, refuse_overwriting};
use super::{
    error::{TransferError, TransferErrorKind},
    meter::Meter,
    object::{ObjectError, wait},
    progress::Phase,
    settings::Transfer,
};
use crate::{
    api::versions::{Version, VersionRef},
    client::Client,
    retry::Backoff,
};

/// The maximum number of signed URLs for one download. A new one is requested after the previous
/// one expired.
const MAX_SIGNED_URLS: u32 = 8;

/// The version to download, and the file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct DownloadRequest {
    pub project: ProjectId,
    /// The document.
    pub artifact: ArtifactId,
    /// The version number. Default: the newest version.
    pub version: Option<u32>,
    /// The file to write. Default: the name of the version, in the current directory.
    pub out: Option<PathBuf>,
    /// Whether to overwrite an existing file.
    pub overwrite: bool,
}

impl Transfer<'_> {
    /// Downloads a version and returns the path of the file.
    ///
    /// The file gets its name only after it is complete and its SHA-256 digest is verified. A
    /// repeated call continues an interrupted download.
    ///
    /// # Errors
    /// Any [`TransferError`].
    pub async fn download(&self, request: &DownloadRequest) -> Result<PathBuf, TransferError> {
        let version_ref = VersionRef {
            project: request.project,
            artifact: request.artifact,
            number: match request.version {
                Some(number) => number,
                None => newest(self.client, request).await?,
            },
        };
        let version = self.client.version(version_ref).await?;
        let own_name = || version.name.as_str().into();
        let out = request.out.clone().unwrap_or_else(own_name);
        refuse_overwriting(&out, request.overwrite)?;
        let partial = Partial::open(&out, &version)?;
        let mut download = Download {
            transfer: self,
            version: &version,
            version_ref,
            partial,
        };
        download.fetch().await?;
        download
            .partial
            .publish(&version, &out, request.overwrite)?;
        Ok(out)
    }
}

async fn newest(client: &Client, request: &DownloadRequest) -> Result<u32, TransferError> {
    let artifact = client.artifact(request.project, request.artifact).await?;
    let current = artifact.current.map(|current| current.number);
    current.ok_or_else(|| TransferErrorKind::NoVersion.into())
}

struct Download<'a> {
    transfer: &'a Transfer<'a>,
    version: &'a Version,
    version_ref: VersionRef,
    partial: Partial,
}

impl Download<'_> {
    /// Downloads the missing bytes.
    async fn fetch(&mut self) -> Result<(), TransferError> {
        for _ in 0..MAX_SIGNED_URLS {
            let signed = self.transfer.client.download_url(self.version_ref).await?;
            match self.fetch_from(&signed).await {
                Ok(()) => return Ok(()),
                Err(ObjectError::Expired) => {}
                Err(ObjectError::Transient(error) | ObjectError::Final(error)) => {
                    return Err(error);
                }
                Err(ObjectError::Present) => return Err(TransferErrorKind::DownloadRefused.into()),
            }
        }
        Err(TransferErrorKind::SignedUrlsRefused.into())
    }

    async fn fetch_from(&mut self, signed: &DownloadUrl) -> Result<(), ObjectError> {
        let size = self.version.size.bytes();
        let mut backoff = Backoff::default();
        while self.partial.length() < size {
            let before = self.partial.length();
            let error = match self.once(signed).await {
                Ok(()) => ObjectError::Transient(TransferErrorKind::Truncated.into()),
                Err(error) => error,
            };
            if self.partial.length() > before {
                backoff.reset();
            }
            if self.partial.length() < size {
                wait(&mut backoff, error).await?;
            }
        }
        Ok(())
    }

    async fn once(&mut self, signed: &DownloadUrl) -> Result<(), ObjectError> {
        let mut request = self.transfer.client.http().get(&signed.url);
        for (name, value) in &signed.headers {
            request = request.header(name, value);
        }
        let from = self.partial.length();
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = request.send().await.map_err(ObjectError::unreachable)?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if begins_at(&response, from) => {}
            StatusCode::OK => self.partial.restart()?,
            status if status.is_success() => return Err(TransferErrorKind::WrongRange.into()),
            status => return Err(ObjectError::of(status)),
        }
        self.receive(response).await
    }

    async fn receive(&mut self, mut response: Response) -> Result<(), ObjectError> {
        let (progress, size) = (&*self.transfer.progress, self.version.size.bytes());
        let meter = Meter::begin(
            progress,
            Phase::Downloading,
            self.version.name.as_str(),
            size,
        );
        meter.set(self.partial.length());
        while let Some(chunk) = response.chunk().await.map_err(ObjectError::unreachable)? {
            if chunk.len() as u64 > size - self.partial.length() {
                self.partial.restart()?;
                return Err(TransferErrorKind::TooManyBytes.into());
            }
            self.partial.append(&chunk)?;
            meter.set(self.partial.length());
        }
        meter.finish();
        Ok(())
    }
}

/// Whether a partial answer begins at the requested byte (RFC 9110 section 14.4).
fn begins_at(response: &Response, from: u64) -> bool {
    let range = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}
