//! The state of an unfinished upload in a file, so that a repeated upload can continue.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use wm_core::value::{ArtifactId, Sha256};

use super::{destination::Destination, source::Source};
use crate::{
    api::versions::{CompletedUpload, UploadedPart},
    server::ServerUrl,
};

/// An unfinished upload: ids and ETags, without URLs and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct UnfinishedUpload {
    pub(super) artifact: ArtifactId,
    pub(super) version: u32,
    pub(super) sent: SentParts,
}

/// The parts of an upload that the object store accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SentParts {
    /// The size in bytes of every part but the last.
    pub(super) part_size: u64,
    /// ETags by part number.
    pub(super) etags: BTreeMap<u16, String>,
}

impl SentParts {
    /// Drops the parts if they have another size: their numbers then stand for other bytes.
    pub(super) fn keep_only(&mut self, part_size: u64) {
        if self.part_size != part_size {
            self.part_size = part_size;
            self.etags.clear();
        }
    }

    /// The body that completes the upload.
    pub(super) fn completion(&self) -> CompletedUpload {
        let part = |(number, etag): (&u16, &String)| UploadedPart {
            number: *number,
            etag: etag.clone(),
        };
        CompletedUpload {
            parts: self.etags.iter().map(part).collect(),
        }
    }
}

/// The content of the file. Different versions of the command share it.
#[derive(Serialize, Deserialize)]
struct Stored {
    artifact: ArtifactId,
    version: u32,
    part_size: u64,
    parts: BTreeMap<u16, String>,
}

impl From<Stored> for UnfinishedUpload {
    fn from(stored: Stored) -> Self {
        Self {
            artifact: stored.artifact,
            version: stored.version,
            sent: SentParts {
                part_size: stored.part_size,
                etags: stored.parts,
            },
        }
    }
}

impl From<UnfinishedUpload> for Stored {
    fn from(upload: UnfinishedUpload) -> Self {
        Self {
            artifact: upload.artifact,
            version: upload.version,
            part_size: upload.sent.part_size,
            parts: upload.sent.etags,
        }
    }
}

/// The file with the state of one upload. If it cannot be written, an interrupted upload starts
/// again.
#[derive(Debug)]
pub(super) struct ResumeFile {
    path: Option<PathBuf>,
}

impl ResumeFile {
    /// The file for uploading this source to this destination. It is the same in every process.
    pub(super) fn of(
        directory: Option<&Path>,
        server: &ServerUrl,
        destination: &Destination,
        source: &Source,
    ) -> Self {
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
        let path = directory.map(|directory| directory.join(format!("{name}.json")));
        Self { path }
    }

    pub(super) fn load(&self) -> Option<UnfinishedUpload> {
        let text = fs::read(self.path.as_ref()?).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Saves the state. If that fails, the upload cannot be resumed.
    pub(super) fn save(&self, upload: &UnfinishedUpload) {
        if let Some(path) = &self.path {
            let _ = replace(path, upload);
        }
    }

    pub(super) fn forget(&self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// Atomic, because a torn file would be ignored and its parts sent again.
fn replace(path: &Path, upload: &UnfinishedUpload) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(&serde_json::to_vec(upload)?)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_upload_keeps_its_file_format() {
        let stored = r#"{"artifact":"art_01h2xcejqtf2nbrexx3vqjhp41","version":2,"part_size":4,"parts":{"1":"a"}}"#;
        let upload: UnfinishedUpload = serde_json::from_str(stored).unwrap();
        assert_eq!(upload.sent.etags.get(&1).map(String::as_str), Some("a"));
        assert_eq!(serde_json::to_string(&upload).unwrap(), stored);
    }

    #[test]
    fn sent_parts_of_another_size_are_forgotten() {
        let mut sent = SentParts {
            part_size: 4,
            etags: BTreeMap::from([(1, "a".to_owned())]),
        };
        sent.keep_only(4);
        assert_eq!(sent.completion().parts.len(), 1);
        sent.keep_only(8);
        assert_eq!(sent.completion().parts, []);
    }
}
