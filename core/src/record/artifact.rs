use alloc::{collections::BTreeMap, string::String};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Body, Family, IndexContext, Usage, local, version::version_of_number};
use crate::{
    storage::{IndexKeys, IndexRows, Key, Scope, Sort},
    value::{
        ArtifactId, FileName, Invalid, Label, MediaType, ProjectId, Sha256, Size, Timestamp,
        VersionId,
    },
};

/// A document of a project: name, labels and current version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Artifact {
    pub project_id: ProjectId,
    /// The file name. Each version keeps the file name of its upload.
    pub name: FileName,
    /// Labels set by users, at most [`Artifact::LABELS`].
    pub labels: BTreeMap<Label, Label>,
    /// The highest version number issued.
    pub last_version: u32,
    /// The newest available version. `None` until the first version is available.
    pub current: Option<CurrentVersion>,
    /// The provider that stores the bytes, from the backend selection.
    pub storage_provider: crate::catalog::Provider,
    /// The time at which the document was deleted. Documents deleted in format 1 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// The newest available version of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentVersion {
    /// The id of the version.
    pub id: VersionId,
    /// The version number.
    pub number: u32,
    /// The media type.
    pub media_type: MediaType,
    /// The size in bytes.
    pub size: Size,
    /// The SHA-256 digest of the bytes.
    pub sha256: Sha256,
}

impl Artifact {
    /// The maximum number of labels of a document.
    pub const LABELS: usize = 50;
    /// The maximum number of versions of a document.
    pub const VERSIONS: u32 = 100_000;
}

impl Body for Artifact {
    const FAMILY: Family = Family::Artifact;
    const SCHEMA: u16 = 2;
    const LOCAL: &'static [local::Path] = &[&["current"], &["last_version"], &["storage_provider"]];
    type Id = ArtifactId;

    fn key(&self, id: &ArtifactId) -> Key {
        Scope::Project(self.project_id).key(Sort::artifact(*id))
    }

    fn index(&self, id: &ArtifactId, context: &IndexContext) -> IndexKeys {
        let mut index = IndexKeys::default();
        let in_project = IndexRows::artifacts_of_project(self.project_id);
        in_project.put_at(&mut index, context.updated_at, id);
        index
    }

    /// In format 1, `current` had no id.
    fn upgrade(_: u16, id: &str, mut body: Value) -> Result<(String, Value), Invalid> {
        let artifact = id.parse()?;
        if let Some(current) = body.get_mut("current").and_then(Value::as_object_mut) {
            let mut version = current.get("number").cloned().unwrap_or_default();
            version_of_number(artifact, Some(&mut version))?;
            current.insert("id".into(), version);
        }
        Ok((id.into(), body))
    }

    fn usage(&self) -> Usage {
        Usage {
            artifacts: 1,
            ..Usage::default()
        }
    }
}
