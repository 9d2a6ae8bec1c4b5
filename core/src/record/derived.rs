use serde::{Deserialize, Serialize};

use super::{Body, Content, Family, Times};
use crate::{
    storage::{IndexKeys, Key, ObjectKind, ObjectPath, Scope, Sort},
    value::{ArtifactId, DerivedId, Kind, ProjectId},
};

/// An output made from one version of a document: a text layer, a thumbnail or an extract. It can
/// be made again or superseded without a change to the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Derived {
    pub project_id: ProjectId,
    /// The document.
    pub artifact_id: ArtifactId,
    /// The number of the version that it was made from.
    pub source_version: u32,
    /// The kind of output, such as `summary`.
    pub kind: Kind,
    /// The declared content and the state of its upload.
    pub content: Content,
    /// The output that this one replaces.
    pub supersedes: Option<DerivedId>,
    /// The available output that replaced this one.
    pub superseded_by: Option<DerivedId>,
}

impl Derived {
    /// The path of the bytes in the object store.
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
