//! Files that are either complete or do not exist, even after a power failure.
//!
//! A file is written under a temporary name in the same directory, synced and moved to its path in
//! one step. Then the directory is synced. The write is acknowledged only after that.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::secrets::random_hex;

/// Writes a file that must not exist yet. If two processes race, exactly one creates it.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if the file exists, which stays unchanged, and other errors of
/// the file system.
pub fn write_new_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = Temporary::write(path, bytes, mode)?;
    publish_new(&temporary.0, path)
}

/// Writes a file and replaces an existing one in one step.
///
/// # Errors
/// Errors of the file system. The old file is then unchanged.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = Temporary::write(path, bytes, mode)?;
    fs::rename(&temporary.0, path)?;
    sync_directory(parent(path))
}

/// Moves a finished and synced temporary file to a name that must be free. Both must be on one file
/// system.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if the name is taken, and other errors of the file system.
pub fn publish_new(temporary: &Path, path: &Path) -> io::Result<()> {
    // A rename would replace an existing file silently. A hard link refuses, on every Unix file
    // system.
    fs::hard_link(temporary, path)?;
    fs::remove_file(temporary)?;
    sync_directory(parent(path))
}

/// Creates a directory and its parents, accessible to the owner only, and syncs each in its parent.
///
/// # Errors
/// Errors of the file system.
pub fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent(path);
    create_directory(above)?;
    match DirBuilder::new().mode(0o700).create(path) {
        // Another process may have created the directory first.
        Err(error) if !path.is_dir() => Err(error),
        _ => sync_directory(above),
    }
}

/// Makes the names in a directory durable.
///
/// # Errors
/// Errors of the file system.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The directory that contains a path. `.` for a name without a directory.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Creates a file that must not exist yet, with these permission bits, and opens it for writing.
///
/// # Errors
/// Errors of the file system.
pub(crate) fn new_file(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

/// A temporary file. It is removed unless it was moved.
#[derive(Debug)]
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Temporary {
    fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.tmp", random_hex::<8>()?));
        let temporary = Self(path.with_file_name(name));
        let mut file = new_file(&temporary.0, mode)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // The file no longer exists if it was moved.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    #[test]
    fn new_file_is_never_replaced_and_leaves_no_temporary_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        write_new_file(&path, b"first", 0o600).unwrap();
        let error = write_new_file(&path, b"second", 0o600).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(names(directory.path()), ["key.pem"]);
    }

    #[test]
    fn replaced_file_has_the_new_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("surface.json");
        replace_file(&path, b"first", 0o600).unwrap();
        replace_file(&path, b"second", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(directory.path()), ["surface.json"]);
    }

    #[test]
    fn directories_are_accessible_to_the_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        create_directory(&path).unwrap();
        create_directory(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}
