//! The event bus: one file with one CloudEvent per line.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use wm_core::record::CloudEvent;
use wm_service::ports::{Events, PortError, PortErrorKind};

use crate::blocking::{blocking, port_error};

/// The event port over an append-only file of JSON lines.
#[derive(Debug, Clone)]
pub struct EventLog(Arc<Mutex<File>>);

impl EventLog {
    /// Opens the file. Creates it if it does not exist.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }
}

impl Events for EventLog {
    async fn publish(&self, entries: &[CloudEvent]) -> Vec<Result<(), PortError>> {
        let appended = match lines(entries) {
            Ok(lines) => {
                let log = Arc::clone(&self.0);
                let append = move || {
                    append(
                        &mut log.lock().unwrap_or_else(PoisonError::into_inner),
                        &lines,
                    )
                };
                blocking(append).await.map_err(port_error)
            }
            Err(error) => Err(PortError::new(PortErrorKind::Refused, error)),
        };
        // All events share one write and one sync, so all succeed or all fail.
        let each = |_| match &appended {
            Ok(()) => Ok(()),
            Err(error) => Err(PortError::new(error.kind, error.to_string())),
        };
        entries.iter().map(each).collect()
    }
}

fn lines(entries: &[CloudEvent]) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Appends lines durably. If a crash or a full disk cut the last line short, it is ended first, so
/// that it does not damage the next one.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    if is_torn(file)? {
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    file.sync_data()
}

fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
