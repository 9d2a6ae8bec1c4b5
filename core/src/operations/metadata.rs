//! Metadata records of an artifact: append-only, so there is no route to change or remove one.

pub mod append;
pub mod list;

use alloc::string::String;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    operation::{Route, view::Envelope},
    record::{Metadata, Record},
    value::{ArtifactId, MetadataId, ProjectId},
};

/// The routes.
pub const ROUTES: &[&Route] = &[&append::ROUTE, &list::ROUTE];

/// A metadata record, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Metadata")]
pub struct MetadataView {
    #[serde(flatten)]
    envelope: Envelope<MetadataId>,
    project_id: ProjectId,
    artifact_id: ArtifactId,
    /// What it says.
    values: Map<String, Value>,
}

impl From<&Record<Metadata>> for MetadataView {
    fn from(record: &Record<Metadata>) -> Self {
        let metadata = &record.body;
        Self {
            envelope: Envelope::of(record),
            project_id: metadata.project_id,
            artifact_id: metadata.artifact_id,
            values: metadata.values.clone(),
        }
    }
}
