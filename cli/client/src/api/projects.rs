//! Projects of an account.

use serde::{Deserialize, Serialize};
use wm_core::{
    record::Visibility,
    value::{AccountId, Capability, Description, Name, ProjectId, ProjectRole},
};

use super::Revision;
use crate::{client::Client, error::ApiError};

/// A project to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewProject {
    /// The name.
    pub name: Name,
    /// What the project is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Who sees it without a grant.
    pub visibility: Visibility,
}

/// A project, with what the caller may do in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// The id.
    pub id: ProjectId,
    /// Which version of the record this is.
    #[serde(flatten)]
    pub revision: Revision,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The name.
    pub name: Name,
    /// What the project is about.
    pub description: Option<Description>,
    /// Who sees it without a grant.
    pub visibility: Visibility,
    /// Whether it is read-only.
    pub archived: bool,
    /// The caller's strongest role.
    pub role: Option<ProjectRole>,
    /// What the caller may do.
    pub capabilities: Vec<Capability>,
}

impl Client {
    /// Creates a project that the caller owns.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn create_project(
        &self,
        account: AccountId,
        project: &NewProject,
    ) -> Result<Project, ApiError> {
        let path = format!("/v1/accounts/{account}/projects");
        self.post(&path, project).await
    }

    /// Reads a project.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn project(&self, project: ProjectId) -> Result<Project, ApiError> {
        self.get(&format!("/v1/projects/{project}")).await
    }
}
