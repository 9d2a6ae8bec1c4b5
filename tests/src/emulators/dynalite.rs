//! dynalite: a DynamoDB emulator with strict checks of single items.

use std::process::Command;

use super::free_port;
use crate::{process::Companion, tools};

/// A running dynalite, in memory.
#[derive(Debug)]
pub struct Dynalite {
    _process: Companion,
    pub url: String,
}

impl Dynalite {
    /// Starts dynalite on a free port.
    #[must_use]
    pub fn start() -> Self {
        let script = tools::dynalite();
        let mut command = Command::new("node");
        let port = free_port();
        command
            .arg(script)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        // Tables are available immediately.
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
            _process: process
                .unwrap_or_else(|printed| panic!("dynalite does not start: {printed}")),
            url: format!("http://127.0.0.1:{port}"),
        }
    }
}
