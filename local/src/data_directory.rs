//! The data directory of a node: one process at a time, one surface.

mod layout;
mod surface;

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use rustix::fs::{FlockOperation, flock};
use wm_core::value::SurfaceId;

pub use layout::Layout;
pub(crate) use surface::forget_file;

use crate::{
    records::{SqliteRecords, StoreError, schema},
    secrets::{Secret, SurfaceFileError},
};

/// An open data directory. While it lives, no other process can open it.
pub struct DataDirectory {
    /// Where everything is.
    pub layout: Layout,
    pub surface: SurfaceId,
    /// The surface's secret.
    pub secret: Secret,
    /// The database.
    pub records: SqliteRecords,
    // Last, so that the database is closed before another process may open it.
    _lock: Lock,
}

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "the data directory `{}` is in use by another process: stop that one, or choose another directory with `--data`", .0.display()
    )]
    InUse(PathBuf),
    /// It was set up once, but its database is gone.
    #[error(
        "the database `{}` is missing or empty, though its directory was set up: restore a backup with `wm restore` into an empty directory, or remove the whole directory to begin anew", .0.display()
    )]
    DatabaseMissing(PathBuf),
    /// It holds records, but their secret is gone.
    #[error("`{}` is missing, and the secret in it cannot be made again: put it back from a backup", .0.display())]
    SecretMissing(PathBuf),
    /// See [`StoreError`].
    #[error(transparent)]
    Database(#[from] StoreError),
    /// See [`SurfaceFileError`].
    #[error(transparent)]
    Surface(#[from] SurfaceFileError),
    /// The file system refused.
    #[error("cannot use the data directory `{}`: see that this user may write there", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What was noticed.
        source: io::Error,
    },
}

impl OpenError {
    fn directory(layout: &Layout, source: io::Error) -> Self {
        Self::Directory {
            path: layout.root().into(),
            source,
        }
    }
}

impl DataDirectory {
    /// Opens a data directory, setting it up where it is not there yet.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let layout = Layout::new(path);
        let refused = |source| OpenError::directory(&layout, source);
        layout.create().map_err(refused)?;
        let lock = Lock::take(&layout)?;
        let database = layout.database();
        if layout.surface().exists() && !schema::exists(&database)? {
            // Before SQLite takes an empty file for a new database and drops the log beside it.
            return Err(OpenError::DatabaseMissing(database));
        }
        let mut connection = schema::open(&database)?;
        let settled = surface::identify(&mut connection, &layout)?;
        Ok(Self {
            surface: settled.surface,
            secret: settled.secret,
            records: SqliteRecords::start(&database, connection)?,
            layout,
            _lock: lock,
        })
    }
}

/// The lock on a data directory, which the system lifts when its holder ends, however that is.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(layout: &Layout) -> Result<Self, OpenError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(layout.lock());
        let locked = file.and_then(|file| {
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            Ok(file)
        });
        match locked {
            Ok(file) => Ok(Self { _file: file }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(OpenError::InUse(layout.root().into()))
            }
            Err(error) => Err(OpenError::directory(layout, error)),
        }
    }
}
