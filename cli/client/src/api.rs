//! The resources of the API: request bodies and answers.
//!
//! Members that a later version of the API adds are ignored. Roles, capabilities and states are
//! those of wm-core.

pub mod access;
pub mod accounts;
pub mod artifacts;
pub mod derived;
pub mod grants;
pub mod health;
pub mod invitations;
pub mod journal;
pub mod metadata;
pub mod projects;
pub mod session;
pub mod teams;
pub mod versions;
pub mod write_events;

use serde::{Deserialize, Serialize};
use wm_core::{
    record::Author,
    value::{ArtifactId, ProjectId, Timestamp},
};

/// The version, times and authors of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The number of states of the record so far, starting at 1.
    pub version: u64,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The author of the first state.
    pub created_by: Author,
    /// The time of the last change.
    pub updated_at: Timestamp,
    /// The author of the current state.
    pub updated_by: Author,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Page<T> {
    /// The rows. A page may be empty and still have a next one.
    pub items: Vec<T>,
    /// The `cursor` of the next page; `None` on the last one.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// The body of commands without values.
#[derive(Debug, Clone, Copy, Serialize)]
struct Empty {}

/// The path of a list page after this cursor.
fn page_path(path: &str, cursor: Option<&str>) -> String {
    match cursor {
        Some(cursor) => format!("{path}?cursor={cursor}"),
        None => path.to_owned(),
    }
}

fn artifact_path(project: ProjectId, artifact: ArtifactId) -> String {
    format!("/v1/projects/{project}/artifacts/{artifact}")
}
