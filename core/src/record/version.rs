use alloc::string::String;
use core::{str::FromStr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, Times};
use crate::{
    storage::{IndexKeys, IndexRows, Key, ObjectKind, ObjectPath, Scope, Sort},
    value::{ArtifactId, FileName, Invalid, MediaType, ProjectId, Sha256, Size, Timestamp, UserId},
};

/// A version of a document. It is uploaded once and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Version {
    pub project_id: ProjectId,
    /// The document.
    pub artifact_id: ArtifactId,
    /// The version number: 1, 2, …
    pub number: u32,
    /// The declared content and the state of its upload.
    pub content: Content,
    /// The number of the version that this one restores. `None` for an uploaded version.
    pub restored_from: Option<u32>,
}

/// Declared content and the state of its upload. Versions and derived outputs share this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Content {
    pub name: FileName,
    pub media_type: MediaType,
    /// The size in bytes.
    pub size: Size,
    /// The SHA-256 digest of the bytes.
    pub sha256: Sha256,
    /// The state of the upload.
    pub status: ContentStatus,
    /// The person who declared the content. Completion checks their authority.
    pub uploaded_by: UserId,
    /// The time at which an incomplete upload expires.
    pub upload_expires_at: Timestamp,
    /// The provider's id of a multipart upload in progress.
    pub upload_id: Option<String>,
    /// The provider's version of the verified object. Only this version is ever signed for
    /// download.
    pub object_version: Option<String>,
    /// The number of the version whose object holds the bytes. Set for a restored version.
    pub stored_as: Option<u32>,
}

/// The state of an upload.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ContentStatus {
    /// The bytes have not arrived yet.
    Pending,
    /// The bytes arrived. The server reads and hashes a large object.
    Verifying,
    /// The bytes are verified and can be downloaded.
    Available,
    /// The bytes differ from the declaration. They are kept for audit and never served.
    Rejected,
    /// The bytes did not arrive in time.
    Expired,
}

impl ContentStatus {
    /// Whether the upload may still be completed.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Verifying)
    }
}

/// The number of a version, as its id.
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
    /// The path of the bytes in the object store.
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
    /// The time that a verification may take before the sweep repeats it: 15 minutes.
    pub const VERIFICATION: Duration = Duration::from_secs(15 * 60);

    /// An open upload is unfinished work. It is due when the upload expires, or when its
    /// verification has taken too long.
    pub(super) fn index(&self, key: &Key, times: &Times) -> IndexKeys {
        let due = match self.status {
            ContentStatus::Pending => Some(self.upload_expires_at),
            ContentStatus::Verifying => Some(times.applied_at.after(Self::VERIFICATION)),
            ContentStatus::Available | ContentStatus::Rejected | ContentStatus::Expired => None,
        };
        let mut index = IndexKeys::default();
        if let Some(due) = due {
            IndexRows::unfinished_work_of(key).put_at(&mut index, due, key);
        }
        index
    }
}
