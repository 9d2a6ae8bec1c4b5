use alloc::string::{String, ToString};
use core::{str::FromStr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Body, Family, IndexContext, Usage, local};
use crate::{
    storage::{IndexKeys, Key, ObjectKind, ObjectPath, Scope, Sort, Work},
    value::{
        ArtifactId, FileName, Invalid, MediaType, ProjectId, Sha256, Size, Timestamp, UserId,
        VersionId, id::Id,
    },
};

/// A version of a document. It is uploaded once and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Version {
    pub project_id: ProjectId,
    /// The document.
    pub artifact_id: ArtifactId,
    /// The number shown to people: 1, 2, …
    pub number: u32,
    /// The declared content and the state of its upload.
    pub content: Content,
    /// The version that this one restores. `None` for an uploaded version.
    pub restored_from: Option<VersionId>,
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
    /// The version whose object holds the bytes. Set for a restored version.
    pub stored_as: Option<VersionId>,
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

/// The way in which a path names a version: by its id or by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionRef {
    /// The id.
    Id(VersionId),
    /// The number: 1, 2, …
    Number(u32),
}

impl FromStr for VersionRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.starts_with(VersionId::PREFIX) {
            return text.parse().map(Self::Id);
        }
        let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && !text.starts_with('0');
        let number = plain.then(|| text.parse().ok()).flatten();
        number
            .map(Self::Number)
            .ok_or(Invalid("must be a version's id or its number: 1, 2, …"))
    }
}

impl From<VersionId> for VersionRef {
    fn from(id: VersionId) -> Self {
        Self::Id(id)
    }
}

impl Version {
    /// The path of the bytes in the object store.
    #[must_use]
    pub fn object_path(&self, id: VersionId) -> ObjectPath {
        ObjectPath {
            project: self.project_id,
            artifact: self.artifact_id,
            kind: ObjectKind::Raw(self.content.stored_as.unwrap_or(id)),
            file: self.content.name.clone(),
        }
    }
}

impl Body for Version {
    const FAMILY: Family = Family::Version;
    const SCHEMA: u16 = 2;
    const LOCAL: &'static [local::Path] = &[Content::OBJECT_VERSION, Content::UPLOAD_ID];
    type Id = VersionId;

    fn key(&self, id: &VersionId) -> Key {
        let sort = Sort::version(self.artifact_id, self.number, *id);
        Scope::Project(self.project_id).key(sort)
    }

    fn index(&self, id: &VersionId, context: &IndexContext) -> IndexKeys {
        self.content.index(&self.key(id), context)
    }

    /// In format 1, the number was the id, and versions named one another by number.
    fn upgrade(_: u16, id: &str, mut body: Value) -> Result<(String, Value), Invalid> {
        let artifact = artifact_of(&body)?;
        version_of_number(artifact, body.get_mut("restored_from"))?;
        Content::upgrade(artifact, &mut body)?;
        let VersionRef::Number(number) = id.parse()? else {
            return Err(Invalid("must be the number of a version"));
        };
        Ok((VersionId::of_format_1(artifact, number).to_string(), body))
    }

    fn usage(&self) -> Usage {
        self.content.usage()
    }
}

/// The document of a version or derived output of format 1.
pub(super) fn artifact_of(body: &Value) -> Result<ArtifactId, Invalid> {
    let artifact = body.get("artifact_id").and_then(Value::as_str);
    artifact.unwrap_or_default().parse()
}

/// Replaces the number of a version, if there is one, with the id of that version of format 1.
pub(super) fn version_of_number(
    artifact: ArtifactId,
    number: Option<&mut Value>,
) -> Result<(), Invalid> {
    if let Some(value) = number.filter(|value| !value.is_null()) {
        let number = value.as_u64().and_then(|number| number.try_into().ok());
        let number = number.ok_or(Invalid("must be the number of a version"))?;
        *value = VersionId::of_format_1(artifact, number).to_string().into();
    }
    Ok(())
}

impl Content {
    /// A member that each surface decides for its own object store.
    pub(super) const OBJECT_VERSION: local::Path = &["content", "object_version"];
    /// A member that each surface decides for its own object store.
    pub(super) const UPLOAD_ID: local::Path = &["content", "upload_id"];

    /// Converts the content in a body of format 1.
    pub(super) fn upgrade(artifact: ArtifactId, body: &mut Value) -> Result<(), Invalid> {
        let content = body.get_mut("content");
        version_of_number(
            artifact,
            content.and_then(|content| content.get_mut("stored_as")),
        )
    }

    pub(super) fn usage(&self) -> Usage {
        let size = self.size.bytes();
        let arrived = match self.status {
            ContentStatus::Available | ContentStatus::Rejected => self.stored_as.is_none(),
            ContentStatus::Pending | ContentStatus::Verifying | ContentStatus::Expired => false,
        };
        Usage {
            versions: 1,
            pending_uploads: u64::from(self.status.is_open()),
            declared_bytes: if self.status.is_open() { size } else { 0 },
            stored_bytes: if arrived { size } else { 0 },
            ..Usage::default()
        }
    }

    /// The time that a verification may take before the sweep repeats it: 15 minutes.
    pub const VERIFICATION: Duration = Duration::from_secs(15 * 60);

    /// An open upload is unfinished work. It is due when the upload expires, or when its
    /// verification has taken too long.
    pub(super) fn index(&self, key: &Key, context: &IndexContext) -> IndexKeys {
        let due = match self.status {
            ContentStatus::Pending => Some(self.upload_expires_at),
            ContentStatus::Verifying => Some(context.applied_at.after(Self::VERIFICATION)),
            ContentStatus::Available | ContentStatus::Rejected | ContentStatus::Expired => None,
        };
        let mut index = IndexKeys::default();
        if let Some(due) = due {
            context
                .work
                .row(Work::Uploads, key)
                .put_at(&mut index, due, key);
        }
        index
    }
}
