//! The file an upload reads, with constant memory.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use wm_core::value::{Sha256, Size, digest::Hasher};

use super::progress::bar;
use crate::failure::Failure;

/// A file with its size and digest as first read. If it changes afterwards, the surface notices.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Where it is.
    pub(super) path: PathBuf,
    /// How many bytes it has.
    pub(super) size: Size,
    /// The digest of all of them.
    pub(super) sha256: Sha256,
}

impl Source {
    /// Reads a file once for its digest.
    pub(super) async fn open(path: &Path) -> Result<Self, Failure> {
        let path = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || Self::read(path)).await;
        reading.map_err(|error| Failure::because("reading was interrupted; try again", error))?
    }

    fn read(path: PathBuf) -> Result<Self, Failure> {
        let fault = |error| {
            let name = path.display();
            Failure::because(
                format!("`{name}` cannot be read; check its path and permissions"),
                error,
            )
        };
        let mut file = File::open(&path).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        if !metadata.is_file() {
            return Err(Failure::new(format!(
                "`{}` is no file; name a file",
                path.display()
            )));
        }
        let size = Size::try_from(metadata.len()).map_err(|error| {
            Failure::because(
                format!("`{}` is too large to upload", path.display()),
                error,
            )
        })?;
        let progress = bar(size.bytes(), &path.display().to_string(), "reading");
        let mut hasher = Hasher::default();
        read_to_end(&mut file, |bytes| {
            hasher.update(bytes);
            progress.inc(bytes.len() as u64);
        })
        .map_err(fault)?;
        progress.finish_and_clear();
        let sha256 = hasher.finish();
        Ok(Self { path, size, sha256 })
    }
}

/// Reads everything that is left, with constant memory, and answers how much it was.
pub(super) fn read_to_end(file: &mut File, mut take: impl FnMut(&[u8])) -> std::io::Result<u64> {
    let mut buffer = vec![0; super::bytes::CHUNK];
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
