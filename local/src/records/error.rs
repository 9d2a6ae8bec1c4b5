//! Errors of the database file.

use std::{path::Path, path::PathBuf};

use rusqlite::{Error, ErrorCode};
use wm_service::ports::{PortError, PortErrorKind};

use super::schema::FORMAT;

/// The reason why the database cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A newer program wrote it.
    #[error(
        "the database `{}` has format {found}, newer than format {FORMAT} of this program: run the newer program, or restore a backup made with this one", .path.display()
    )]
    Newer {
        path: PathBuf,
        /// The format number in the file.
        found: i32,
    },
    /// The file belongs to another program.
    #[error(
        "`{}` is not a workspace database: choose another directory with `--data`", .0.display()
    )]
    Foreign(PathBuf),
    /// Bytes are missing or were changed.
    #[error(
        "the database `{}` is damaged: restore a backup with `wm restore` into an empty directory", .path.display()
    )]
    Damaged {
        path: PathBuf,
        /// `None` if an integrity check of this program found the damage.
        source: Option<Error>,
    },
    /// The file ends before its last page.
    #[error(
        "the database `{}` is truncated: restore a backup with `wm restore` into an empty directory", .0.display()
    )]
    Truncated(PathBuf),
    /// The disk is full.
    #[error(
        "there is no space left for the database `{}`: free some space, then try again", .path.display()
    )]
    Full { path: PathBuf, source: Error },
    /// The file is read-only.
    #[error(
        "the database `{}` is not writable: give this user write access to it and its directory", .path.display()
    )]
    ReadOnly { path: PathBuf, source: Error },
    /// Any other error.
    #[error("the database `{}` failed: check its disk, then try again", .path.display())]
    Failed { path: PathBuf, source: Error },
    /// The file system refused an operation.
    #[error("cannot open the database `{}`: check that it is a file and that this user has access to it", .path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The writer has ended, because the node is closing.
    #[error("the database is closing: try again after the node has restarted")]
    Closing,
}

impl StoreError {
    pub(crate) fn new(path: &Path, source: Error) -> Self {
        let path = path.to_owned();
        match source {
            Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) => {
                let source = Some(source);
                Self::Damaged { path, source }
            }
            _ => match source.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    let source = Some(source);
                    Self::Damaged { path, source }
                }
                Some(ErrorCode::DiskFull) => Self::Full { path, source },
                Some(ErrorCode::ReadOnly) => Self::ReadOnly { path, source },
                _ => Self::Failed { path, source },
            },
        }
    }

    /// A full disk has its own kind. All other errors count as unavailable.
    #[must_use]
    pub fn kind(&self) -> PortErrorKind {
        match self {
            Self::Full { .. } => PortErrorKind::Full,
            _ => PortErrorKind::Unavailable,
        }
    }
}

impl From<StoreError> for PortError {
    fn from(error: StoreError) -> Self {
        Self::new(error.kind(), error)
    }
}
