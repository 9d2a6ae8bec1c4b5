//! The errors of transfers.

use std::{error::Error, fmt, path::PathBuf};

use reqwest::StatusCode;
use thiserror::Error;

use crate::error::ApiError;

/// The error of a transfer. `Display` is one line that says what to do next. The cause is the
/// source.
#[derive(Debug)]
pub struct TransferError {
    kind: TransferErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kind of error. No text contains a signed URL, which is a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransferErrorKind {
    /// A call to the API did not succeed.
    #[error(transparent)]
    Api(ApiError),
    /// The file cannot be read.
    #[error("`{}` cannot be read; check its path and permissions", .0.display())]
    Unreadable(PathBuf),
    /// The file became unreadable during the upload.
    #[error("`{}` can no longer be read", .0.display())]
    UnreadableLater(PathBuf),
    /// Reading the file was cancelled.
    #[error("reading the file was interrupted; try again")]
    ReadCancelled,
    /// The path names a directory or a device.
    #[error("`{}` is not a file; name a file", .0.display())]
    NotAFile(PathBuf),
    /// The file exceeds the size limit of all surfaces.
    #[error("`{}` is too large to upload", .0.display())]
    TooLarge(PathBuf),
    /// The name of the file is not valid on any surface.
    #[error("`{}` has a name that no surface accepts; rename it", .0.display())]
    UnusableName(PathBuf),
    /// A media type is not valid.
    #[error("`{0}` is not a media type")]
    UnusableMediaType(&'static str),
    /// The answer to a declaration has no upload plan.
    #[error("the answer has no upload plan; check the server's URL")]
    NoPlan,
    /// The plan has no HTTP method.
    #[error("the upload plan has no method; check the server's URL")]
    NoMethod,
    /// The storage could not be reached, or the connection broke.
    #[error("the storage does not answer; repeat the transfer to continue it")]
    StorageUnreachable,
    /// The storage is overloaded.
    #[error("the storage answered {0}; try again later")]
    StorageBusy(StatusCode),
    /// The storage refused the bytes.
    #[error(
        "the storage answered {0}; check that the file does not change while it is read, and try again"
    )]
    StorageRefused(StatusCode),
    /// The storage refused every signed URL.
    #[error("the storage refused every signed URL; check the clock of this machine")]
    SignedUrlsRefused,
    /// The uploaded bytes are not the declared ones.
    #[error(
        "the uploaded bytes differ from the declaration; check that the file does not change and try again"
    )]
    UploadMismatch,
    /// The document has no available version.
    #[error("the document has no available version; complete an upload first")]
    NoVersion,
    /// The file to write exists.
    #[error("`{}` exists already; choose another name, or allow overwriting", .0.display())]
    Exists(PathBuf),
    /// The storage does not serve the object.
    #[error("the storage refused the download; try again")]
    DownloadRefused,
    /// The connection closed before the last byte.
    #[error(
        "the storage closed the connection during the transfer; repeat the transfer to continue it"
    )]
    Truncated,
    /// The storage served other bytes than requested.
    #[error("the storage sent a different range than requested; try again")]
    WrongRange,
    /// The storage served more bytes than the version has.
    #[error("the storage sends more bytes than the version has; try again")]
    TooManyBytes,
    /// The downloaded bytes do not have the digest of the version.
    #[error("the downloaded bytes differ from the version and were deleted; try again")]
    DownloadMismatch,
    /// The file cannot be written.
    #[error("`{}` cannot be written; check the directory and the free space", .0.display())]
    Unwritable(PathBuf),
}

impl TransferError {
    pub(super) fn because(
        kind: TransferErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &TransferErrorKind {
        &self.kind
    }

    /// What went wrong, and its cause.
    #[must_use]
    pub fn into_parts(self) -> (TransferErrorKind, Option<Box<dyn Error + Send + Sync>>) {
        (self.kind, self.source)
    }
}

impl From<TransferErrorKind> for TransferError {
    fn from(kind: TransferErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<ApiError> for TransferError {
    fn from(error: ApiError) -> Self {
        TransferErrorKind::Api(error).into()
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl Error for TransferError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => self.kind.source(),
        }
    }
}
