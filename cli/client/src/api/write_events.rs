//! Write events of a document: texts that are appended and never change.

use serde::{Deserialize, Serialize};
use wm_core::value::{ArtifactId, EventId, Kind, ProjectId, Text};

use super::{Revision, artifact_path};
use crate::{client::Client, error::ApiError};

/// A write event to append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewWriteEvent {
    /// The kind, such as `review.note`.
    pub kind: Kind,
    /// The text.
    pub text: Text,
}

/// A write event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WriteEvent {
    /// The id.
    pub id: EventId,
    /// Version, times and authors.
    #[serde(flatten)]
    pub revision: Revision,
    /// The kind.
    pub kind: Kind,
    /// The text.
    pub text: Text,
}

impl Client {
    /// Appends a write event to a document, with the caller as its author.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn append_write_event(
        &self,
        project: ProjectId,
        artifact: ArtifactId,
        event: &NewWriteEvent,
    ) -> Result<WriteEvent, ApiError> {
        let path = format!("{}/events", artifact_path(project, artifact));
        self.post(&path, event).await
    }
}
