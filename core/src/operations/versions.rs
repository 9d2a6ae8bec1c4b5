//! Raw versions of an artifact.

pub mod complete;
pub mod create;
pub mod download;
pub mod get;
pub mod list;
pub mod restore;
pub mod upload;

use schemars::JsonSchema;
use serde::Serialize;

use super::content::{ContentEvents, Stored, declaration::ContentView};
use crate::{
    operation::{Commit, Facts, Problem, Route, view::Envelope},
    record::{Artifact, Content, CurrentVersion, EventType, Record, Version, VersionNumber},
    storage::{ObjectPath, Sort},
    value::{ArtifactId, Capability, ProjectId},
};

/// The routes.
pub const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &upload::ROUTE,
    &complete::ROUTE,
    &download::ROUTE,
    &restore::ROUTE,
];

/// A raw version, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Version")]
pub struct VersionView {
    #[serde(flatten)]
    envelope: Envelope<VersionNumber>,
    /// 1, 2, …
    number: u32,
    project_id: ProjectId,
    artifact_id: ArtifactId,
    #[serde(flatten)]
    content: ContentView,
    /// The version it restores, if it was not uploaded anew.
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
            restored_from: version.restored_from,
        }
    }
}

impl Stored for Version {
    type View = VersionView;
    const PARAMETER: &'static str = "number";
    const CREATE: Capability = Capability::VersionCreate;
    const EVENTS: ContentEvents = ContentEvents {
        upload_started: EventType::VersionUploadStarted,
        reissued: EventType::VersionReissued,
        verifying: EventType::VersionVerifying,
        available: EventType::VersionAvailable,
        rejected: EventType::VersionRejected,
        expired: EventType::VersionExpired,
    };

    fn sort(artifact: ArtifactId, id: VersionNumber) -> Sort {
        Sort::version(artifact, id.0)
    }

    fn content(&self) -> &Content {
        &self.content
    }

    fn with_content(&self, content: Content) -> Self {
        Self {
            content,
            ..self.clone()
        }
    }

    fn object_path(record: &Record<Self>) -> ObjectPath {
        record.body.object_path()
    }

    /// The newest available version is the artifact's current one, in whatever order they complete.
    fn release(
        commit: &mut Commit<'_>,
        _: &Facts,
        artifact: &Record<Artifact>,
        record: &Record<Self>,
    ) -> Result<(), Problem> {
        let current = artifact.body.current.as_ref();
        if current.is_none_or(|current| current.number < record.body.number) {
            let artifact_body = Artifact {
                current: Some(current_of(&record.body)),
                ..artifact.body.clone()
            };
            commit.update(artifact, artifact_body);
        }
        Ok(())
    }
}

/// What an artifact's row repeats of its current version.
fn current_of(version: &Version) -> CurrentVersion {
    CurrentVersion {
        number: version.number,
        media_type: version.content.media_type.clone(),
        size: version.content.size,
        sha256: version.content.sha256,
    }
}

/// The number of an artifact's next version.
///
/// # Errors
/// 409 when it has the most versions it may have.
fn next_number(artifact: &Artifact) -> Result<VersionNumber, Problem> {
    if artifact.last_version >= Artifact::VERSIONS {
        return Err(Problem::conflict(
            "this artifact has 100000 versions, the most there may be: create another one",
        ));
    }
    Ok(VersionNumber(artifact.last_version + 1))
}
