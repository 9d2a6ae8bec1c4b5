//! s3s: an independent, strict S3 over a directory.

use std::process::Command;

use tempfile::TempDir;

use super::{free_port, ministack::Credentials};
use crate::{process::Companion, tools};

/// A running s3s over an empty directory. Its one key is that of ministack's root.
#[derive(Debug)]
pub struct S3s {
    _process: Companion,
    /// Where it answers.
    pub url: String,
    root: TempDir,
}

impl S3s {
    /// A new one on a free port.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        let (root, port) = (tempfile::tempdir().unwrap(), free_port());
        let mut command = Command::new(tools::s3s());
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        let known = Credentials::root();
        command.args(["--access-key", &known.key, "--secret-key", &known.secret]);
        command.arg(root.path()).env("RUST_LOG", "info");
        let process = Companion::start(&command, "server is running");
        Self {
            _process: process.unwrap_or_else(|said| panic!("s3s does not start: {said}")),
            url: format!("http://127.0.0.1:{port}"),
            root,
        }
    }

    /// Makes a bucket, which here is a directory.
    ///
    /// # Panics
    /// When it cannot.
    pub fn bucket(&self, name: &str) {
        std::fs::create_dir(self.root.path().join(name)).unwrap();
    }
}
