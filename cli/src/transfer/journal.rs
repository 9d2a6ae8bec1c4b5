//! What is known of an upload that is under way, so that the same command can go on with it.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use wm_core::value::{ArtifactId, Sha256};

use super::{destination::Destination, source::Source};
use crate::connection::Server;

/// An upload under way: ids and marks, no address and no token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UnderWay {
    /// The artifact.
    pub(super) artifact: ArtifactId,
    /// The version's number.
    pub(super) version: u32,
    /// The size of parts these are parts of.
    pub(super) part_size: u64,
    /// The parts that arrived, with the marks the storage gave them.
    pub(super) parts: BTreeMap<u16, String>,
}

/// The file that remembers one upload. Where none can be kept, nothing is remembered and an
/// interrupted upload begins anew.
#[derive(Debug)]
pub(super) struct Journal {
    path: Option<PathBuf>,
}

impl Journal {
    /// The journal of uploading this file to this place, whatever process does it.
    pub(super) fn of(server: &Server, destination: &Destination, source: &Source) -> Self {
        let path = fs::canonicalize(&source.path).unwrap_or_else(|_| source.path.clone());
        let artifact = destination.artifact.map(|artifact| artifact.to_string());
        let name = Sha256::keyed(
            b"upload",
            &[
                server.to_string().as_bytes(),
                destination.project.to_string().as_bytes(),
                artifact.unwrap_or_default().as_bytes(),
                destination.name.as_str().as_bytes(),
                path.as_os_str().as_encoded_bytes(),
                source.sha256.as_bytes(),
            ],
        );
        let path = directory().map(|directory| directory.join(format!("{name}.json")));
        Self { path }
    }

    /// What was under way, if anything was.
    pub(super) fn load(&self) -> Option<UnderWay> {
        let text = fs::read(self.path.as_ref()?).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Remembers. If that fails, only resuming is lost.
    pub(super) fn save(&self, under_way: &UnderWay) {
        if let Some(path) = &self.path {
            let _ = replace(path, under_way);
        }
    }

    /// Forgets.
    pub(super) fn forget(&self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whole or not at all: a torn journal would only be ignored, but it would cost the parts it knew.
fn replace(path: &Path, under_way: &UnderWay) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(&serde_json::to_vec(under_way)?)?;
    file.persist(path)?;
    Ok(())
}

/// `$XDG_CACHE_HOME/wm/uploads`, or where caches are by default.
fn directory() -> Option<PathBuf> {
    let named = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let caches = named("XDG_CACHE_HOME")
        .or_else(|| named("LOCALAPPDATA"))
        .or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(caches.join("wm").join("uploads"))
}
