//! Grants of roles on a project.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use wm_core::value::{GrantId, Principal, ProjectId, ProjectRole, Reason, Timestamp, UserId};

use super::{Page, Revision};
use crate::{client::Client, error::ApiError, request::Answer};

/// A grant to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct NewGrant {
    /// The person or team that receives the role.
    pub principal: Principal,
    pub role: ProjectRole,
    /// The expiry of the grant. `None` means no expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl NewGrant {
    /// A grant without expiry.
    #[must_use]
    pub fn new(principal: Principal, role: ProjectRole) -> Self {
        Self {
            principal,
            role,
            expires_at: None,
        }
    }
}

/// The role of one person or one team on a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Grant {
    pub id: GrantId,
    #[serde(flatten)]
    pub revision: Revision,
    pub project_id: ProjectId,
    /// The person or team that has the role.
    pub principal: Principal,
    pub role: ProjectRole,
    /// The expiry of the grant. `None` means no expiry.
    pub expires_at: Option<Timestamp>,
    /// The state of the grant.
    pub status: GrantStatus,
    /// The time of the revocation.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
    /// The person who revoked the grant. `None` if the grant ended with the deletion of its team.
    #[serde(default)]
    pub revoked_by: Option<UserId>,
    /// The reason of the revocation.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// The state of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantStatus {
    /// The grant gives its role.
    Live,
    /// The grant reached its expiry.
    Expired,
    /// The grant was revoked.
    Revoked,
}

/// Selects the grants of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GrantFilter {
    /// Grants that are not revoked.
    #[default]
    Unrevoked,
    /// All grants.
    All,
}

impl Client {
    /// Grants a role on a project.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn create_grant(
        &self,
        project: ProjectId,
        grant: &NewGrant,
    ) -> Result<Grant, ApiError> {
        self.post(&format!("/v1/projects/{project}/grants"), grant)
            .await
    }

    /// Lists the grants of a project, oldest first.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn grants(
        &self,
        project: ProjectId,
        filter: GrantFilter,
        cursor: Option<&str>,
    ) -> Result<Page<Grant>, ApiError> {
        let mut request = self.request(Method::GET, format!("/v1/projects/{project}/grants"));
        if filter == GrantFilter::All {
            request = request.query("include", "revoked");
        }
        if let Some(cursor) = cursor {
            request = request.query("cursor", cursor);
        }
        let answer: Answer<Page<Grant>> = request.send().await?;
        Ok(answer.body)
    }

    /// Revokes a grant and records the reason. The request is sent once.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn revoke_grant(
        &self,
        project: ProjectId,
        grant: GrantId,
        reason: Option<&Reason>,
    ) -> Result<(), ApiError> {
        let path = format!("/v1/projects/{project}/grants/{grant}");
        let mut request = self.request(Method::DELETE, path);
        if let Some(reason) = reason {
            request = request.query("reason", reason.as_str());
        }
        request.send::<()>().await.map(drop)
    }
}
