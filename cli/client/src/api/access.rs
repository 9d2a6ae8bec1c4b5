//! Access of people to a project, with reasons.

use serde::Deserialize;
use wm_core::value::{Capability, ProjectId, ProjectRole, UserId};

use crate::{client::Client, error::ApiError};

/// The access of a person to a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Access {
    /// The person.
    pub user: UserId,
    /// The capabilities the person has.
    pub capabilities: Vec<Capability>,
    /// All records that give access.
    pub reasons: Vec<AccessReason>,
    /// The capabilities the person lacks.
    #[serde(default)]
    pub missing: Vec<Capability>,
}

/// A record that gives access.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccessReason {
    /// The kind of record.
    pub source: AccessSource,
    /// The member's user id, the project's id or the grant's id.
    pub record_id: String,
    /// The role on the project that the record gives.
    pub role: ProjectRole,
    /// The capabilities that the record gives in the current state of the project.
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
    /// A grant to a team of the person.
    TeamGrant,
}

impl Client {
    /// Explains the access of the caller to a project.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn access(&self, project: ProjectId) -> Result<Access, ApiError> {
        self.get(&format!("/v1/projects/{project}/access")).await
    }
}
