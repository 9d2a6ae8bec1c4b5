//! What a person may do on a project, and why.

use serde::Deserialize;
use wm_core::value::{Capability, ProjectId, ProjectRole, UserId};

use crate::{client::Client, error::ApiError};

/// What a person may do on a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Access {
    /// The person.
    pub user: UserId,
    /// What they may do.
    pub capabilities: Vec<Capability>,
    /// Every record that confers something.
    pub reasons: Vec<AccessReason>,
    /// What they may not do.
    #[serde(default)]
    pub missing: Vec<Capability>,
}

/// A record that confers something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccessReason {
    /// The kind of record.
    pub source: AccessSource,
    /// The member's user id, the project's id or the grant's id.
    pub record_id: String,
    /// The role on the project that it amounts to.
    pub role: ProjectRole,
    /// What it confers in the project's present state.
    pub capabilities: Vec<Capability>,
}

/// The kind of record behind a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessSource {
    /// The person's role in the account.
    AccountRole,
    /// The visibility of the project.
    Visibility,
    /// A grant to the person.
    UserGrant,
    /// A grant to a team of theirs.
    TeamGrant,
}

impl Client {
    /// Explains what the caller may do on a project.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn access(&self, project: ProjectId) -> Result<Access, ApiError> {
        self.get(&format!("/v1/projects/{project}/access")).await
    }
}
