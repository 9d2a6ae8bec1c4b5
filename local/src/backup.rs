//! Backups: a whole copy of a data directory, taken while a node runs on it, and put back.
//!
//! A copy never claims to be the surface it was taken from: whoever opens it is a new one. Its
//! `surface.json` is written last, so a copy that was interrupted is recognised as none. Mails and
//! published events are left out: they are output, not state. So are unfinished uploads.

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

/// Why a backup was not made or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("`{}` holds no data directory and no finished backup: name one that has a `surface.json`", .0.display())]
    Nothing(PathBuf),
    /// The copy would mix with something else.
    #[error("`{}` is not empty: name a directory that is empty or not there yet", .0.display())]
    NotEmpty(PathBuf),
    /// The file system refused.
    #[error("cannot copy `{}`: see that it may be read and that there is room for the copy", .path.display())]
    File {
        /// What was being copied.
        path: PathBuf,
        /// What was noticed.
        source: io::Error,
    },
    /// See [`StoreError`].
    #[error(transparent)]
    Database(#[from] StoreError),
    /// See [`SurfaceFileError`].
    #[error(transparent)]
    Surface(#[from] SurfaceFileError),
    /// What was put back cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Copies a data directory into another one, which must be empty or not there. A node may go on
/// working meanwhile: the copy is of one moment, objects included, because they precede their records.
///
/// # Errors
/// [`BackupError`]; the copy is then not finished, and cannot be mistaken for one that is.
pub fn backup(data: &Path, target: &Path) -> Result<(), BackupError> {
    copy(&Layout::new(data), &Layout::new(target))
}

/// Puts a backup back into a directory that must be empty or not there, and answers which surface
/// it now is: never the one it was taken from.
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
    // The database first: whatever it refers to is there already, and stays.
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

/// Copies what is committed at this moment into one file without a log beside it.
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
        // All pages in one step are of one moment; writers go on beside it.
        while backup.step(-1)? != StepResult::Done {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    target.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(target)
}

/// Links or, on another file system, copies every object: they never change once they are there.
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
        // Removed meanwhile, so no record of a finished upload refers to it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => {
            fs::copy(from, to)?;
            File::open(to)?.sync_all()
        }
        linked => linked,
    }
}

/// The issuer's key is made when the first token is asked for, so it may not be there.
fn copy_key(from: &Path, to: &Path) -> io::Result<()> {
    match fs::read(from) {
        Ok(key) => write_new_file(to, &key, 0o600),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
