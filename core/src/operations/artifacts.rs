//! Artifacts.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod restore;
pub mod update;

use alloc::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    catalog::Provider,
    operation::{Route, view::Envelope},
    record::{Artifact, CurrentVersion, Record},
    value::{ArtifactId, FileName, Label, ProjectId},
};

/// The routes.
pub const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &update::ROUTE,
    &delete::ROUTE,
    &restore::ROUTE,
];

/// An artifact, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Artifact")]
pub struct ArtifactView {
    #[serde(flatten)]
    envelope: Envelope<ArtifactId>,
    project_id: ProjectId,
    name: FileName,
    labels: BTreeMap<Label, Label>,
    /// How many versions were declared.
    versions: u32,
    /// The newest available version; null until one is.
    current: Option<CurrentVersion>,
    /// Which provider stores the bytes.
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
