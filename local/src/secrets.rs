//! Randomness, and the secret a surface keeps.

use std::{
    fmt::{self, Write},
    fs, io,
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use wm_core::value::{Sha256, SurfaceId};

use crate::durable::replace_file;

/// Fresh random bytes from the operating system's generator.
///
/// # Errors
/// When the generator gives none, and then nothing secret may be made.
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| io::Error::other("the system's random generator gave no bytes"))?;
    Ok(bytes)
}

/// Fresh random bytes as lower-case hexadecimal digits, two a byte.
///
/// # Errors
/// As [`random_bytes`].
pub fn random_hex<const N: usize>() -> io::Result<String> {
    let mut text = String::with_capacity(2 * N);
    for byte in random_bytes::<N>()? {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// The secret behind invitation tokens, address hashes and cursors. Lost, it cannot be made again:
/// nobody's address would be found under its hash any more.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Sha256", into = "Sha256")]
pub struct Secret([u8; 32]);

impl Secret {
    /// A fresh one.
    ///
    /// # Errors
    /// As [`random_bytes`].
    pub fn random() -> io::Result<Self> {
        random_bytes().map(Self)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Written as a digest is: 64 hexadecimal digits.
impl From<Sha256> for Secret {
    fn from(digits: Sha256) -> Self {
        Self(*digits.as_bytes())
    }
}

impl From<Secret> for Sha256 {
    fn from(secret: Secret) -> Self {
        Self::from_bytes(secret.0)
    }
}

/// What `surface.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurfaceFile {
    /// The surface's id, as the database has it too.
    pub surface: SurfaceId,
    pub secret: Secret,
    /// How often the data directory was opened. A database that counts fewer was put back.
    pub openings: u32,
}

/// Why `surface.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SurfaceFileError {
    /// It is not what was written.
    #[error("`{}` is damaged, and its secret cannot be made again: put it back from a backup", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was noticed.
        source: serde_json::Error,
    },
    /// The file system refused.
    #[error("cannot read or write `{}`: see that it is a file this user may use", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was noticed.
        source: io::Error,
    },
}

impl SurfaceFile {
    /// Reads the file; `None` when it is not there.
    ///
    /// # Errors
    /// [`SurfaceFileError`].
    pub fn read(path: &Path) -> Result<Option<Self>, SurfaceFileError> {
        let path = path.to_owned();
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|source| SurfaceFileError::Damaged { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SurfaceFileError::File { path, source }),
        }
    }

    /// Writes the file, for the owner's eyes alone.
    ///
    /// # Errors
    /// [`SurfaceFileError`].
    pub fn write(&self, path: &Path) -> Result<(), SurfaceFileError> {
        serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|text| replace_file(path, &text, 0o600))
            .map_err(|source| SurfaceFileError::File {
                path: path.into(),
                source,
            })
    }
}
