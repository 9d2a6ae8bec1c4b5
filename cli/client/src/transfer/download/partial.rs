//! Incomplete files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use wm_core::value::digest::Hasher;

use super::super::{
    error::{TransferError, TransferErrorKind},
    source::read_to_end,
};
use crate::api::versions::Version;

/// An incomplete file in the directory of the final file. Its name contains the expected digest, so
/// bytes of different versions are never mixed.
pub(super) struct Partial {
    path: PathBuf,
    file: File,
    length: u64,
    hasher: Hasher,
}

impl Partial {
    pub(super) fn open(out: &Path, version: &Version) -> Result<Self, TransferError> {
        let name = out
            .file_name()
            .map(|name| name.to_string_lossy())
            .unwrap_or_default();
        // Distinguishes partial files of different versions with the same name.
        let digits: String = version.sha256.to_string().chars().take(16).collect();
        let path = out.with_file_name(format!(".{name}.{digits}.part"));
        let fault = |error| unwritable(&path, error);
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(fault)?;
        let mut hasher = Hasher::default();
        let length = read_to_end(&mut file, |bytes| hasher.update(bytes)).map_err(fault)?;
        let mut partial = Self {
            path,
            file,
            length,
            hasher,
        };
        // A longer file is not a part of this version.
        if length > version.size.bytes() {
            partial.restart()?;
        }
        Ok(partial)
    }

    /// The number of bytes so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Deletes all bytes.
    pub(super) fn restart(&mut self) -> Result<(), TransferError> {
        self.length = 0;
        self.hasher = Hasher::default();
        self.file
            .set_len(0)
            .map_err(|error| unwritable(&self.path, error))
    }

    pub(super) fn append(&mut self, chunk: &[u8]) -> Result<(), TransferError> {
        self.file
            .write_all(chunk)
            .map_err(|error| unwritable(&self.path, error))?;
        self.hasher.update(chunk);
        self.length += chunk.len() as u64;
        Ok(())
    }

    /// Gives the file its final name, after it is durable and its digest is verified.
    pub(super) fn publish(
        self,
        version: &Version,
        out: &Path,
        overwrite: bool,
    ) -> Result<(), TransferError> {
        if self.hasher.finish() != version.sha256 {
            let _ = fs::remove_file(&self.path);
            return Err(TransferErrorKind::DownloadMismatch.into());
        }
        self.file
            .sync_all()
            .map_err(|error| unwritable(&self.path, error))?;
        refuse_overwriting(out, overwrite)?;
        fs::rename(&self.path, out).map_err(|error| unwritable(out, error))?;
        let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty());
        // Some systems cannot sync a directory. The bytes are safe either way.
        let _ = File::open(directory.unwrap_or(Path::new(".")))
            .and_then(|directory| directory.sync_all());
        Ok(())
    }
}

/// Fails if the file exists and may not be replaced.
pub(super) fn refuse_overwriting(out: &Path, overwrite: bool) -> Result<(), TransferError> {
    if !overwrite && out.exists() {
        return Err(TransferErrorKind::Exists(out.to_owned()).into());
    }
    Ok(())
}

fn unwritable(path: &Path, error: io::Error) -> TransferError {
    TransferError::because(TransferErrorKind::Unwritable(path.to_owned()), error)
}
