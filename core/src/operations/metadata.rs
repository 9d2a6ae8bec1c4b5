//! Routes and views of metadata records. The records are append-only, so no route changes or
//! removes one.

mod append;
mod list;

use alloc::string::String;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    operation::{Route, view::Envelope},
    record::{Metadata, Record},
    value::{ArtifactId, MetadataId, ProjectId},
};

pub(super) const ROUTES: &[&Route] = &[&append::ROUTE, &list::ROUTE];

const EXAMPLE: &str = r#"{
  "id": "met_01k59h1s26qt4rj49989yr2xqr",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "project_id": "prj_01kjdr7hbmxwc9att838g7qvrz01k43rchcznn1s8g39607h9k3k",
  "artifact_id": "art_01knj0g1kh5kr6prr26kkpsbhy",
  "values": { "pages": 3 }
}"#;

/// A metadata record of a document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Metadata")]
pub(crate) struct MetadataView {
    #[serde(flatten)]
    envelope: Envelope<MetadataId>,
    project_id: ProjectId,
    artifact_id: ArtifactId,
    /// What the record says.
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
