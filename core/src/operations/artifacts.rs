//! Routes and views of documents.

mod create;
mod delete;
mod get;
mod list;
mod restore;
mod update;

use alloc::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    catalog::Provider,
    operation::{Route, view::Envelope},
    record::{Artifact, CurrentVersion, Record},
    value::{ArtifactId, FileName, Label, ProjectId},
};

pub(super) const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &update::ROUTE,
    &delete::ROUTE,
    &restore::ROUTE,
];

const EXAMPLE: &str = r#"{
  "id": "art_01knj0g1kh5kr6prr26kkpsbhy",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "project_id": "prj_01kjdr7hbmxwc9att838g7qvrz01k43rchcznn1s8g39607h9k3k",
  "name": "Floor plan.pdf",
  "labels": { "discipline": "architecture" },
  "versions": 1,
  "current": {
    "id": "ver_01knj0g1kh9tz2cx1v6q4b0001",
    "number": 1,
    "media_type": "application/pdf",
    "size": 48213,
    "sha256": "64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525"
  },
  "storage_provider": "local"
}"#;

/// A document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Artifact")]
pub(crate) struct ArtifactView {
    #[serde(flatten)]
    envelope: Envelope<ArtifactId>,
    project_id: ProjectId,
    /// The file name.
    name: FileName,
    /// Labels by name.
    labels: BTreeMap<Label, Label>,
    /// How many versions were declared.
    versions: u32,
    /// The newest available version. Null until one is available.
    current: Option<CurrentVersion>,
    /// The provider that stores the bytes.
    storage_provider: Provider,
}

impl From<&Record<Artifact>> for ArtifactView {
    fn from(record: &Record<Artifact>) -> Self {
        let artifact = &record.body;
        Self {
            envelope: Envelope::of(record),
            project_id: artifact.project_id,
            name: artifact.name.clone(),
            labels: artifact.labels.clone(),
            versions: artifact.last_version,
            current: artifact.current.clone(),
            storage_provider: artifact.storage_provider,
        }
    }
}
