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
#[expect(missing_docs, reason = "the other names say it")]
pub struct NewProject {
    pub name: Name,
    /// `None` if the project has no description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The people who see the project without a grant.
    pub visibility: Visibility,
}

/// A project, with the access of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Project {
    pub id: ProjectId,
    #[serde(flatten)]
    pub revision: Revision,
    /// The account that the project belongs to.
    pub account_id: AccountId,
    pub name: Name,
    /// `None` if the project has no description.
    pub description: Option<Description>,
    /// The people who see the project without a grant.
    pub visibility: Visibility,
    /// Whether the project is read-only.
    pub archived: bool,
    /// The strongest role of the caller.
    pub role: Option<ProjectRole>,
    /// The capabilities of the caller.
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
