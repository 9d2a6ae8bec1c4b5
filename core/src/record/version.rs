use alloc::string::String;
use core::{str::FromStr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, envelope::Times};
use crate::{
    storage::{Index, IndexKeys, Key, ObjectKind, ObjectPath, Scope, Sort},
    value::{ArtifactId, FileName, Invalid, MediaType, ProjectId, Sha256, Size, Timestamp, UserId},
};

/// A raw version of an artifact: uploaded once, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// The project.
    pub project_id: ProjectId,
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// 1, 2, …
    pub number: u32,
    /// What was declared, and what became of the upload.
    pub content: Content,
    /// The version this one restores, if it was not uploaded anew.
    pub restored_from: Option<u32>,
}

/// Declared bytes and the state of their upload; raw versions and derived outputs share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The file name.
    pub name: FileName,
    /// The media type.
    pub media_type: MediaType,
    /// The size in bytes.
    pub size: Size,
    /// The digest of all bytes.
    pub sha256: Sha256,
    /// What became of the upload.
    pub status: ContentStatus,
    /// Who declared it, and whose authority completion checks.
    pub uploaded_by: UserId,
    /// When an upload not completed is given up.
    pub upload_expires_at: Timestamp,
    /// The provider's name for a multipart upload in progress.
    pub upload_id: Option<String>,
    /// The provider's version of the object that was verified: the only one ever signed.
    pub object_version: Option<String>,
    /// Where the bytes are, when they are another version's (a restored one's).
    pub stored_as: Option<u32>,
}

/// What became of an upload.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ContentStatus {
    /// Waiting for the bytes.
    Pending,
    /// The bytes are there; a large object is being read and hashed.
    Verifying,
    /// Verified; can be downloaded.
    Available,
    /// The bytes were not the declared ones. Kept for audit, never served.
    Rejected,
    /// The bytes did not come in time.
    Expired,
}

impl ContentStatus {
    /// Whether the upload may still be completed.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Verifying)
    }
}

/// The id of a version: its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionNumber(pub u32);

impl core::fmt::Display for VersionNumber {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for VersionNumber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid = Invalid("must be a version number: 1, 2, …");
        let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && !text.starts_with('0');
        if plain {
            text.parse().map(Self).map_err(|_| WRONG)
        } else {
            Err(WRONG)
        }
    }
}

crate::value::string_value!(VersionNumber, { "pattern": "^[1-9][0-9]{0,9}$" });

impl Version {
    /// Where its bytes lie.
    #[must_use]
    pub fn object_path(&self) -> ObjectPath {
        ObjectPath {
            project: self.project_id,
            artifact: self.artifact_id,
            kind: ObjectKind::Raw(self.content.stored_as.unwrap_or(self.number)),
            file: self.content.name.clone(),
        }
    }
}

impl Body for Version {
    const FAMILY: Family = Family::Version;
    type Id = VersionNumber;

    fn key(&self, _: &VersionNumber) -> Key {
        Scope::Project(self.project_id).key(Sort::version(self.artifact_id, self.number))
    }

    fn index(&self, id: &VersionNumber, times: &Times) -> IndexKeys {
        self.content.index(&self.key(id), times)
    }
}

impl Content {
    /// How long a verification may take before the sweep repeats it: 15 minutes.
    pub const VERIFICATION: Duration = Duration::from_secs(15 * 60);

    /// An open upload is unfinished work: due when it expires, or when its verification should long
    /// have ended.
    pub(super) fn index(&self, key: &Key, times: &Times) -> IndexKeys {
        let due = match self.status {
            ContentStatus::Pending => Some(self.upload_expires_at),
            ContentStatus::Verifying => Some(times.updated_at.after(Self::VERIFICATION)),
            ContentStatus::Available | ContentStatus::Rejected | ContentStatus::Expired => None,
        };
        let mut index = IndexKeys::default();
        Index::Gsi1.put(&mut index, due.map(|due| super::journal::work(key, due)));
        index
    }
}
