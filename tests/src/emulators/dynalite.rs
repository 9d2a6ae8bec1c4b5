//! dynalite: a DynamoDB that is strict about single items.

use std::process::Command;

use super::free_port;
use crate::{process::Companion, tools};

/// A running dynalite, in memory.
#[derive(Debug)]
pub struct Dynalite {
    _process: Companion,
    /// Where it answers.
    pub url: String,
}

impl Dynalite {
    /// A new one on a free port.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        let script = tools::dynalite();
        let mut command = Command::new("node");
        let port = free_port();
        command
            .arg(script)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        // Tables are there at once.
        command.args([
            "--createTableMs",
            "0",
            "--deleteTableMs",
            "0",
            "--updateTableMs",
            "0",
        ]);
        let process = Companion::start(&command, "listening at");
        Self {
            _process: process.unwrap_or_else(|said| panic!("dynalite does not start: {said}")),
            url: format!("http://127.0.0.1:{port}"),
        }
    }
}
