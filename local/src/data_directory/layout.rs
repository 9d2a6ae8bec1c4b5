//! The paths in a data directory.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::durable::create_directory;

/// The paths in a data directory. A `Layout` holds no lock, so `wm token` and `wm backup` work
/// beside a running node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of this directory, which does not have to exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Creates missing directories, accessible to the owner only.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn create(&self) -> io::Result<()> {
        let mail = ["tmp", "new", "cur"].map(|name| self.mail().join(name));
        [self.objects(), self.incoming()]
            .iter()
            .chain(&mail)
            .try_for_each(|path| create_directory(path))
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database. SQLite keeps its files `-wal` and `-shm` beside it.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("workspace.sqlite")
    }

    /// The directory of the objects.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// The directory of incoming files. It is on the file system of the objects, so that files can
    /// be moved.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// The maildir, with `tmp`, `new` and `cur`.
    #[must_use]
    pub fn mail(&self) -> PathBuf {
        self.root.join("mail")
    }

    /// Published events, one JSON document per line.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.root.join("events.jsonl")
    }

    /// The private key of the built-in token issuer.
    #[must_use]
    pub fn issuer_key(&self) -> PathBuf {
        self.root.join("issuer-key.pem")
    }

    /// Id and secret of the surface.
    #[must_use]
    pub fn surface(&self) -> PathBuf {
        self.root.join("surface.json")
    }

    /// The file that the writing process locks.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }
}
