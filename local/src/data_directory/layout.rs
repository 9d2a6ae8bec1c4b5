//! Where everything in a data directory is.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::durable::create_directory;

/// The names in a data directory. Holding one takes no lock, so that `wm token` and `wm backup` work
/// beside a running node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of this directory, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Creates the directories that are missing, for the owner alone.
    ///
    /// # Errors
    /// Whatever the file system reports.
    pub fn create(&self) -> io::Result<()> {
        let mail = ["tmp", "new", "cur"].map(|name| self.mail().join(name));
        [self.objects(), self.incoming()]
            .iter()
            .chain(&mail)
            .try_for_each(|path| create_directory(path))
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database. SQLite keeps `-wal` and `-shm` beside it, which belong to it.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("workspace.sqlite")
    }

    /// The objects, below it under their paths.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// Bytes still on their way in; in the file system of the objects, so that they can be renamed.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// The maildir: `tmp`, `new` and `cur`.
    #[must_use]
    pub fn mail(&self) -> PathBuf {
        self.root.join("mail")
    }

    /// Published events, one JSON document a line.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.root.join("events.jsonl")
    }

    /// The private key of the built-in token issuer.
    #[must_use]
    pub fn issuer_key(&self) -> PathBuf {
        self.root.join("issuer-key.pem")
    }

    /// The surface's id and secret.
    #[must_use]
    pub fn surface(&self) -> PathBuf {
        self.root.join("surface.json")
    }

    /// What the one process that writes holds locked.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }
}
