//! Routes and views of versions.

mod complete;
mod create;
mod download;
mod get;
mod list;
mod restore;
mod upload;

use schemars::JsonSchema;
use serde::Serialize;

use super::content::{declaration::ContentView, shown::Shown};
use crate::{
    operation::{Example, Problem, Route, view::Envelope},
    record::{Artifact, Record, Version},
    value::{ArtifactId, ProjectId, VersionId},
};

pub(super) const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &upload::ROUTE,
    &complete::ROUTE,
    &download::ROUTE,
    &restore::ROUTE,
];

const EXAMPLE: &str = r#"{
  "id": "ver_01knj0g1kh9tz2cx1v6q4b0001",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "number": 1,
  "project_id": "prj_01kjdr7hbmxwc9att838g7qvrz01k43rchcznn1s8g39607h9k3k",
  "artifact_id": "art_01knj0g1kh5kr6prr26kkpsbhy",
  "name": "Floor plan.pdf",
  "media_type": "application/pdf",
  "size": 48213,
  "sha256": "64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525",
  "status": "available",
  "uploaded_by": "usr_01kbb03ca56hky4kerfxtqdmvz"
}"#;

/// A version that waits for its bytes.
pub(super) const PENDING: Example = Example::With(
    EXAMPLE,
    &[
        ("status", r#""pending""#),
        ("upload_expires_at", r#""2026-03-03T09:30:00.000Z""#),
    ],
);

/// A version of a document: bytes that never change.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Version")]
pub(crate) struct VersionView {
    #[serde(flatten)]
    envelope: Envelope<VersionId>,
    /// The number of the version, from 1.
    number: u32,
    project_id: ProjectId,
    artifact_id: ArtifactId,
    #[serde(flatten)]
    content: ContentView,
    /// The number of the version whose bytes it shares. Absent if it was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_from: Option<u32>,
}

impl From<&Record<Version>> for VersionView {
    fn from(record: &Record<Version>) -> Self {
        let version = &record.body;
        Self {
            envelope: Envelope::of(record),
            number: version.number,
            project_id: version.project_id,
            artifact_id: version.artifact_id,
            content: ContentView::from(&version.content),
            restored_from: version.restored_from.map(VersionId::number),
        }
    }
}

impl Shown for Version {
    type View = VersionView;
    const EXAMPLE: &'static str = EXAMPLE;
}

/// The number of the document's next version.
///
/// # Errors
/// 409 if the document has the maximum number of versions.
fn next_number(artifact: &Artifact) -> Result<u32, Problem> {
    if artifact.last_version >= Artifact::VERSIONS {
        return Err(Problem::conflict(
            "this document has 100000 versions, which is the maximum; create another document",
        ));
    }
    Ok(artifact.last_version + 1)
}
