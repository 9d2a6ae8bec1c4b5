//! The data directory of a node. One process at a time can open it. It contains one surface.

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

/// An open data directory. No other process can open it at the same time.
pub struct DataDirectory {
    /// The paths in the directory.
    pub layout: Layout,
    pub surface: SurfaceId,
    pub secret: Secret,
    pub records: SqliteRecords,
    // The last field, so that the database is closed before another process can open it.
    _lock: Lock,
}

/// The reason why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the data directory `{}` is in use by another process: stop that one, or choose another directory with `--data`", .0.display()
    )]
    InUse(PathBuf),
    /// The directory was set up, but its database is missing.
    #[error(
        "the database `{}` is missing or empty, although its directory is initialised: restore a backup with `wm restore` into an empty directory, or delete the whole directory to start again", .0.display()
    )]
    DatabaseMissing(PathBuf),
    /// The database has records, but the secret is missing.
    #[error("`{}` is missing, and its secret cannot be created again: restore it from a backup", .0.display())]
    SecretMissing(PathBuf),
    #[error(transparent)]
    Database(#[from] StoreError),
    #[error(transparent)]
    Surface(#[from] SurfaceFileError),
    /// The file system refused an operation.
    #[error("cannot use the data directory `{}`: give this user write access to it", .path.display())]
    Directory { path: PathBuf, source: io::Error },
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
    /// Opens a data directory. Sets it up if it does not exist.
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
            // Checked here, because SQLite would take an empty file for a new database and delete
            // the log beside it.
            return Err(OpenError::DatabaseMissing(database));
        }
        let mut connection = schema::open(&database)?;
        let identity = surface::identify(&mut connection, &layout)?;
        Ok(Self {
            surface: identity.surface,
            secret: identity.secret,
            records: SqliteRecords::start(&database, connection)?,
            layout,
            _lock: lock,
        })
    }
}

/// The lock on a data directory. The system releases it when the process ends, even after a crash.
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
