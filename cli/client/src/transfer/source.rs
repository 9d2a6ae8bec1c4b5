//! The file of an upload, read with constant memory.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use wm_core::value::{Sha256, Size, digest::Hasher};

use super::{
    content::CHUNK,
    error::{TransferError, TransferErrorKind},
    meter::Meter,
    progress::{Phase, Progress},
};

/// A file with the size and digest of its first read. If it changes afterwards, the surface rejects
/// the bytes.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) size: Size,
    pub(super) sha256: Sha256,
}

impl Source {
    /// Reads a file once to compute its digest.
    pub(super) async fn open(
        path: &Path,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, TransferError> {
        let path = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || Self::read(path, &*progress)).await;
        reading.map_err(|error| TransferError::because(TransferErrorKind::ReadCancelled, error))?
    }

    fn read(path: PathBuf, progress: &dyn Progress) -> Result<Self, TransferError> {
        let fault = |error: io::Error| {
            TransferError::because(TransferErrorKind::Unreadable(path.clone()), error)
        };
        let mut file = File::open(&path).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        if !metadata.is_file() {
            return Err(TransferErrorKind::NotAFile(path).into());
        }
        let size = Size::try_from(metadata.len()).map_err(|error| {
            TransferError::because(TransferErrorKind::TooLarge(path.clone()), error)
        })?;
        let name = path.display().to_string();
        let meter = Meter::begin(progress, Phase::Reading, &name, size.bytes());
        let mut hasher = Hasher::default();
        read_to_end(&mut file, |bytes| {
            hasher.update(bytes);
            meter.add(bytes.len() as u64);
        })
        .map_err(fault)?;
        meter.finish();
        let sha256 = hasher.finish();
        Ok(Self { path, size, sha256 })
    }
}

/// Reads the rest of a file with constant memory. Returns the number of bytes read.
pub(super) fn read_to_end(file: &mut File, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let mut length = 0;
    loop {
        let count = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(length);
        };
        take(read);
        length += count as u64;
    }
}
