//! Backups: a complete copy of a data directory, made while a node may run on it, and restored
//! later.
//!
//! A copy never has the identity of the surface it was made from: opening it creates a new surface
//! id. `surface.json` is written last, so an interrupted copy is not taken for a backup. A backup
//! contains no mails and no published events, because they are output, and no unfinished uploads.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};
use wm_core::value::SurfaceId;

use crate::{
    data_directory::{DataDirectory, Layout, OpenError, forget_file},
    durable::{create_directory, sync_directory, write_new_file},
    records::{StoreError, schema},
    secrets::{SurfaceFile, SurfaceFileError},
};

/// The reason why a backup or restore failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The source is not a data directory or a finished backup.
    #[error("`{}` is neither a data directory nor a finished backup: name a directory with a `surface.json`", .0.display())]
    Nothing(PathBuf),
    /// The target contains other files.
    #[error("`{}` is not empty: name an empty directory or one that does not exist", .0.display())]
    NotEmpty(PathBuf),
    /// The file system refused an operation.
    #[error("cannot copy `{}`: check its permissions and the free space for the copy", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Database(#[from] StoreError),
    #[error(transparent)]
    Surface(#[from] SurfaceFileError),
    /// The restored directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Copies a data directory to another directory, which must be empty or not exist. A node may run
/// meanwhile. The copy is a consistent snapshot, including the objects, because objects precede their
/// records.
///
/// # Errors
/// [`BackupError`]. The copy is then incomplete and cannot be restored.
pub fn backup(data: &Path, target: &Path) -> Result<(), BackupError> {
    copy(&Layout::new(data), &Layout::new(target))
}

/// Restores a backup to a directory, which must be empty or not exist. Returns the new surface id.
///
/// # Errors
/// [`BackupError`].
pub fn restore(backup: &Path, data: &Path) -> Result<SurfaceId, BackupError> {
    copy(&Layout::new(backup), &Layout::new(data))?;
    Ok(DataDirectory::open(data)?.surface)
}

fn copy(from: &Layout, to: &Layout) -> Result<(), BackupError> {
    let surface = SurfaceFile::read(&from.surface())?;
    let surface = surface.ok_or_else(|| BackupError::Nothing(from.root().into()))?;
    if !is_empty(to.root()).map_err(failed(to.root()))? {
        return Err(BackupError::NotEmpty(to.root().into()));
    }
    create_directory(to.root()).map_err(failed(to.root()))?;
    // The database is copied first: the objects that it refers to already exist and stay.
    copy_database(&from.database(), &to.database())?;
    copy_tree(&from.objects(), &to.objects())?;
    copy_key(&from.issuer_key(), &to.issuer_key()).map_err(failed(&from.issuer_key()))?;
    Ok(surface.write(&to.surface())?)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BackupError {
    move |source| BackupError::File {
        path: path.into(),
        source,
    }
}

fn is_empty(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Copies the committed state of the database to one file without a log.
fn copy_database(from: &Path, to: &Path) -> Result<(), BackupError> {
    let source = schema::open_reader(from)?;
    schema::create_file(to)?;
    let copied = copy_pages(&source, to).map_err(|error| StoreError::new(from, error))?;
    if !schema::is_sound(&copied) {
        let path = from.to_owned();
        return Err(StoreError::Damaged { path, source: None }.into());
    }
    forget_file(&copied).map_err(|error| StoreError::new(to, error))?;
    drop(copied);
    let synced = File::open(to).and_then(|file| file.sync_all());
    synced.map_err(failed(to))
}

fn copy_pages(source: &Connection, to: &Path) -> rusqlite::Result<Connection> {
    let mut target = Connection::open(to)?;
    {
        let backup = Backup::new(source, &mut target)?;
        // Copying all pages in one step gives the state of one moment. Writers continue meanwhile.
        while backup.step(-1)? != StepResult::Done {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    target.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(target)
}

/// Links every object, or copies it to another file system. Objects never change.
fn copy_tree(from: &Path, to: &Path) -> Result<(), BackupError> {
    create_directory(to).map_err(failed(to))?;
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed(from))?,
    };
    for entry in entries {
        let entry = entry.map_err(failed(from))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(failed(&from))?.is_dir() {
            copy_tree(&from, &to)?;
        } else {
            copy_object(&from, &to).map_err(failed(&from))?;
        }
    }
    sync_directory(to).map_err(failed(to))
}

fn copy_object(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        // The object was removed meanwhile, so no record of a finished upload refers to it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => {
            fs::copy(from, to)?;
            File::open(to)?.sync_all()
        }
        linked => linked,
    }
}

/// The key of the issuer is created with the first token, so it may not exist.
fn copy_key(from: &Path, to: &Path) -> io::Result<()> {
    match fs::read(from) {
        Ok(key) => write_new_file(to, &key, 0o600),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
