use alloc::{collections::BTreeMap, format};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Family, envelope::Times};
use crate::{
    storage::{Index, IndexKey, IndexKeys, Key, Scope, Sort},
    value::{ArtifactId, FileName, Label, MediaType, ProjectId, Sha256, Size},
};

/// A document of a project: its name, labels and current version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// The project.
    pub project_id: ProjectId,
    /// What it is called; versions keep the file name they were uploaded under.
    pub name: FileName,
    /// Free labels, at most [`Artifact::LABELS`].
    pub labels: BTreeMap<Label, Label>,
    /// The highest version number given out.
    pub last_version: u32,
    /// The newest available version; `None` until one is.
    pub current: Option<CurrentVersion>,
    /// Which provider stores the bytes, from the backend selection.
    pub storage_provider: crate::catalog::Provider,
}

/// The state of the newest available version, repeated in the artifact's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentVersion {
    /// Its number.
    pub number: u32,
    /// Its media type.
    pub media_type: MediaType,
    /// Its size in bytes.
    pub size: Size,
    /// Its digest.
    pub sha256: Sha256,
}

impl Artifact {
    /// The most labels an artifact may have.
    pub const LABELS: usize = 50;
    /// The most versions an artifact may have.
    pub const VERSIONS: u32 = 100_000;
}

impl Body for Artifact {
    const FAMILY: Family = Family::Artifact;
    type Id = ArtifactId;

    fn key(&self, id: &ArtifactId) -> Key {
        Scope::Project(self.project_id).key(Sort::artifact(*id))
    }

    fn index(&self, id: &ArtifactId, times: &Times) -> IndexKeys {
        let (project, updated) = (self.project_id, times.updated_at.millis());
        let mut index = IndexKeys::default();
        Index::Gsi4.put(
            &mut index,
            IndexKey {
                partition: format!("PROJECT#{project}"),
                sort: format!("ARTIFACT#{updated:020}#{id}"),
            },
        );
        index
    }
}
