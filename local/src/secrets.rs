//! Random bytes, and the secret of a surface.

use std::{
    fmt::{self, Write},
    fs, io,
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use wm_core::value::{Sha256, SurfaceId};

use crate::durable::replace_file;

/// Random bytes from the generator of the operating system.
///
/// # Errors
/// If the generator fails. The caller must then not create a secret.
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)
        .map_err(|_| io::Error::other("the random generator of the system failed"))?;
    Ok(bytes)
}

/// Random bytes as lower-case hexadecimal digits, two per byte.
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

/// The secret that keys invitation tokens, hashes of e-mail addresses and cursors. A lost secret
/// cannot be replaced, because existing address hashes would no longer match.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Sha256", into = "Sha256")]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new random secret.
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

/// The text form is that of a digest: 64 hexadecimal digits.
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

/// The content of `surface.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurfaceFile {
    /// The id of the surface, which the database contains too.
    pub surface: SurfaceId,
    pub secret: Secret,
    /// The number of times the data directory was opened. A database with a lower number was
    /// restored from a copy.
    pub openings: u32,
}

/// The reason why `surface.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SurfaceFileError {
    /// The file was changed or damaged.
    #[error("`{}` is damaged, and its secret cannot be created again: restore it from a backup", .path.display())]
    Damaged {
        path: PathBuf,
        source: serde_json::Error,
    },
    /// The file system refused an operation.
    #[error("cannot read or write `{}`: check that it is a file and that this user has access to it", .path.display())]
    File { path: PathBuf, source: io::Error },
}

impl SurfaceFile {
    /// Reads the file. `None` if it does not exist.
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

    /// Writes the file, readable by the owner only.
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
