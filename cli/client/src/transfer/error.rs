//! The errors of transfers.

use std::{error::Error, fmt, path::PathBuf};

use reqwest::StatusCode;
use thiserror::Error;

use crate::error::ApiError;

/// Why a transfer did not succeed. `Display` is one line that says what to do next; the cause is the source.
#[derive(Debug)]
pub struct TransferError {
    kind: TransferErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What went wrong. No text has a signed URL, which is a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransferErrorKind {
    /// A call to the API did not succeed.
    #[error(transparent)]
    Api(ApiError),
    /// The file cannot be read.
    #[error("`{}` cannot be read; check its path and permissions", .0.display())]
    Unreadable(PathBuf),
    /// The file could be read before, and cannot be read now.
    #[error("`{}` cannot be read any more", .0.display())]
    UnreadableLater(PathBuf),
    /// Reading the file was cancelled.
    #[error("reading was interrupted; try again")]
    ReadCancelled,
    /// The path names a directory or a device.
    #[error("`{}` is no file; name a file", .0.display())]
    NotAFile(PathBuf),
    /// The file is larger than any surface takes.
    #[error("`{}` is too large to upload", .0.display())]
    TooLarge(PathBuf),
    /// The file has a name that no surface takes.
    #[error("`{}` has a name no surface takes; rename it", .0.display())]
    UnusableName(PathBuf),
    /// A media type is not valid.
    #[error("`{0}` is no media type")]
    UnusableMediaType(&'static str),
    /// The answer to a declaration has no upload plan.
    #[error("the answer has no upload plan; check the server's URL")]
    NoPlan,
    /// The plan has no HTTP method.
    #[error("the plan names no method; check the server's URL")]
    NoMethod,
    /// The storage could not be reached, or the connection broke.
    #[error("the storage does not answer; repeat the transfer to go on")]
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
    #[error(
        "the storage accepts none of the addresses it is given; check the clock of this machine"
    )]
    AddressesRefused,
    /// The uploaded bytes are not the declared ones.
    #[error(
        "the bytes that came are not the declared ones; check that the file does not change and try again"
    )]
    UploadMismatch,
    /// The artifact has no available version.
    #[error("the artifact has no version that can be downloaded yet; complete an upload first")]
    NoVersion,
    /// The file to write exists.
    #[error("`{}` exists already; choose another name, or allow to replace it", .0.display())]
    Exists(PathBuf),
    /// The storage does not serve the object.
    #[error("the storage refused to hand the object out; try again")]
    DownloadRefused,
    /// The connection closed before the last byte.
    #[error("the storage stopped in the middle; repeat the transfer to go on")]
    Truncated,
    /// The storage served other bytes than requested.
    #[error("the storage answered another range than it was asked for; try again")]
    WrongRange,
    /// The storage served more bytes than the version has.
    #[error("the storage sends more bytes than the version has; try again")]
    TooManyBytes,
    /// The downloaded bytes do not have the digest of the version.
    #[error("the bytes that came are not the version's; nothing was kept, try again")]
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
