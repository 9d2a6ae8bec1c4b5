//! The resources of the API: what requests take and answers show.
//!
//! Members that a later version of the API adds are ignored. Roles, capabilities and states are those of wm-core.

pub mod access;
pub mod accounts;
pub mod artifacts;
pub mod derived;
pub mod grants;
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

/// Which version of a record an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// How many changes the record has seen, from 1.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Author,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// By whom.
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

/// The body of commands that take no values.
#[derive(Debug, Clone, Copy, Serialize)]
struct Empty {}

/// The path of a list, from the row behind this cursor.
fn page_path(path: &str, cursor: Option<&str>) -> String {
    match cursor {
        Some(cursor) => format!("{path}?cursor={cursor}"),
        None => path.to_owned(),
    }
}

/// The path of an artifact.
fn artifact_path(project: ProjectId, artifact: ArtifactId) -> String {
    format!("/v1/projects/{project}/artifacts/{artifact}")
}
