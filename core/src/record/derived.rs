use alloc::string::String;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Body, Content, Family, IndexContext, Usage, local,
    version::{artifact_of, version_of_number},
};
use crate::{
    storage::{IndexKeys, Key, ObjectKind, ObjectPath, Scope, Sort},
    value::{ArtifactId, DerivedId, Invalid, Kind, ProjectId, VersionId},
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
    /// The version that it was made from.
    pub source_version: VersionId,
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
    const SCHEMA: u16 = 2;
    const LOCAL: &'static [local::Path] = &[
        Content::OBJECT_VERSION,
        Content::UPLOAD_ID,
        &["superseded_by"],
    ];
    type Id = DerivedId;

    fn key(&self, id: &DerivedId) -> Key {
        Scope::Project(self.project_id).key(Sort::derived(self.artifact_id, *id))
    }

    fn index(&self, id: &DerivedId, context: &IndexContext) -> IndexKeys {
        self.content.index(&self.key(id), context)
    }

    /// In format 1, `source_version` was a number.
    fn upgrade(_: u16, id: &str, mut body: Value) -> Result<(String, Value), Invalid> {
        let artifact = artifact_of(&body)?;
        version_of_number(artifact, body.get_mut("source_version"))?;
        Content::upgrade(artifact, &mut body)?;
        Ok((id.into(), body))
    }

    fn usage(&self) -> Usage {
        self.content.usage()
    }
}
