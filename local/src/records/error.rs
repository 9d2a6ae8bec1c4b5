//! What goes wrong with the database file.

use std::{path::Path, path::PathBuf};

use rusqlite::{Error, ErrorCode};
use wm_service::ports::{PortError, PortErrorKind};

use super::schema::FORMAT;

/// Why the database cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A newer program wrote it.
    #[error(
        "the database `{}` has format {found}, newer than the format {FORMAT} this program knows: run the newer program, or restore a backup made with this one", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format it says it has.
        found: i32,
    },
    /// Some other program's file.
    #[error(
        "`{}` is not a workspace database: choose another directory with `--data`", .0.display()
    )]
    Foreign(PathBuf),
    /// Part of it is missing or was changed.
    #[error(
        "the database `{}` is damaged: restore a backup with `wm restore` into an empty directory", .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was noticed, where a read or a write noticed it.
        source: Option<Error>,
    },
    /// It ends before the last of its pages.
    #[error(
        "the database `{}` was cut short: restore a backup with `wm restore` into an empty directory", .0.display()
    )]
    Truncated(PathBuf),
    /// There is no room for it to grow.
    #[error(
        "there is no room left for the database `{}`: free some space, then try again", .path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// What was noticed.
        source: Error,
    },
    /// It may only be read.
    #[error(
        "the database `{}` may not be written: give this user write access to it and its directory", .path.display()
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What was noticed.
        source: Error,
    },
    /// Anything else.
    #[error("the database `{}` does not answer: see whether its disk is well, then try again", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was noticed.
        source: Error,
    },
    /// The file system refused.
    #[error("cannot open the database `{}`: see that it is a file this user may use", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was noticed.
        source: std::io::Error,
    },
    /// The writer is gone, because the node is closing.
    #[error("the database is closing: try again when the node is back")]
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

    /// The kind of failure it is to the caller of a port.
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
