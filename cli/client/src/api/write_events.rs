//! Write events of a document: texts that are appended and never change.

use serde::{Deserialize, Serialize};
use wm_core::value::{ArtifactId, EventId, Kind, ProjectId, Text};

use super::{Revision, artifact_path};
use crate::{client::Client, error::ApiError};

/// A write event to append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct NewWriteEvent {
    /// The kind, such as `review.note`.
    pub kind: Kind,
    pub text: Text,
}

/// A text that a person appended to a document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WriteEvent {
    pub id: EventId,
    #[serde(flatten)]
    pub revision: Revision,
    pub kind: Kind,
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
