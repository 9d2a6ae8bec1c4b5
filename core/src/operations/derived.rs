//! Routes and views of derived outputs.

mod complete;
mod create;
mod download;
mod get;
mod list;
mod upload;

use schemars::JsonSchema;
use serde::Serialize;

use super::content::{declaration::ContentView, shown::Shown};
use crate::{
    operation::{Route, view::Envelope},
    record::{Derived, Record},
    value::{ArtifactId, DerivedId, Kind, ProjectId},
};

pub(super) const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &upload::ROUTE,
    &complete::ROUTE,
    &download::ROUTE,
];

const EXAMPLE: &str = r#"{
  "id": "drv_01ksjjs8rhvmxand0mjm0h6ddj",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "project_id": "prj_01kjdr7hbmxwc9att838g7qvrz01k43rchcznn1s8g39607h9k3k",
  "artifact_id": "art_01knj0g1kh5kr6prr26kkpsbhy",
  "source_version": 1,
  "kind": "text",
  "name": "Floor plan.txt",
  "media_type": "text/plain",
  "size": 1280,
  "sha256": "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1",
  "status": "available",
  "uploaded_by": "usr_01kbb03ca56hky4kerfxtqdmvz"
}"#;

/// A derived output: a file that was made from one version of a document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Derived")]
pub(crate) struct DerivedView {
    #[serde(flatten)]
    envelope: Envelope<DerivedId>,
    project_id: ProjectId,
    artifact_id: ArtifactId,
    /// The number of the version that it was made from.
    source_version: u32,
    /// What it is, such as `text` or `thumbnail`.
    kind: Kind,
    #[serde(flatten)]
    content: ContentView,
    /// The output that it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<DerivedId>,
    /// The available output that replaced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<DerivedId>,
}

impl From<&Record<Derived>> for DerivedView {
    fn from(record: &Record<Derived>) -> Self {
        let derived = &record.body;
        Self {
            envelope: Envelope::of(record),
            project_id: derived.project_id,
            artifact_id: derived.artifact_id,
            source_version: derived.source_version.number(),
            kind: derived.kind.clone(),
            content: ContentView::from(&derived.content),
            supersedes: derived.supersedes,
            superseded_by: derived.superseded_by,
        }
    }
}

impl Shown for Derived {
    type View = DerivedView;
    const EXAMPLE: &'static str = EXAMPLE;
}
