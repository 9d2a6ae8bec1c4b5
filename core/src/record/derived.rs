use serde::{Deserialize, Serialize};

use super::{Body, Content, Family, envelope::Times};
use crate::{
    storage::{IndexKeys, Key, ObjectKind, ObjectPath, Scope, Sort},
    value::{ArtifactId, DerivedId, Kind, ProjectId},
};

/// An output made from one raw version: a text layer, a thumbnail, an extract. It can be made again
/// or superseded without touching the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// The project.
    pub project_id: ProjectId,
    /// The artifact.
    pub artifact_id: ArtifactId,
    /// The raw version it was made from.
    pub source_version: u32,
    /// What kind of output it is.
    pub kind: Kind,
    /// What was declared, and what became of the upload.
    pub content: Content,
    /// The output it replaces.
    pub supersedes: Option<DerivedId>,
    /// The available output that replaced it.
    pub superseded_by: Option<DerivedId>,
}

impl Derived {
    /// Where its bytes lie.
    #[must_use]
    pub fn object_path(&self, id: DerivedId) -> ObjectPath {
        ObjectPath {
            project: self.project_id,
            artifact: self.artifact_id,
            kind: ObjectKind::Derived(id),
            file: self.content.name.clone(),
        }
    }
}

impl Body for Derived {
    const FAMILY: Family = Family::Derived;
    type Id = DerivedId;

    fn key(&self, id: &DerivedId) -> Key {
        Scope::Project(self.project_id).key(Sort::derived(self.artifact_id, *id))
    }

    fn index(&self, id: &DerivedId, times: &Times) -> IndexKeys {
        self.content.index(&self.key(id), times)
    }
}
