use alloc::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, Times};
use crate::{
    storage::{IndexKeys, IndexRows, Key, Scope, Sort},
    value::{ArtifactId, FileName, Label, MediaType, ProjectId, Sha256, Size},
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
}

/// The newest available version of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentVersion {
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
    type Id = ArtifactId;

    fn key(&self, id: &ArtifactId) -> Key {
        Scope::Project(self.project_id).key(Sort::artifact(*id))
    }

    fn index(&self, id: &ArtifactId, times: &Times) -> IndexKeys {
        let mut index = IndexKeys::default();
        let in_project = IndexRows::artifacts_of_project(self.project_id);
        in_project.put_at(&mut index, times.updated_at, id);
        index
    }
}
