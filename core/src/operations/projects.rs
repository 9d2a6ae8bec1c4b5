//! Routes and views of projects.

mod create;
mod delete;
mod get;
mod list;
mod update;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Route, view::Envelope},
    permission::Access,
    record::{Project, Record, Visibility},
    value::{AccountId, Capabilities, Description, Name, ProjectId, ProjectRole},
};

pub(super) const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &update::ROUTE,
    &delete::ROUTE,
];

pub(super) const EXAMPLE: &str = r#"{
  "id": "prj_01kjdr7hbmxwc9att838g7qvrz01k43rchcznn1s8g39607h9k3k",
  "version": 1,
  "created_at": "2026-03-02T09:30:00.000Z",
  "created_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "updated_at": "2026-03-02T09:30:00.000Z",
  "updated_by": "usr_01kbb03ca56hky4kerfxtqdmvz",
  "account_id": "acc_01kjdr7hbmxwc9att838g7qvrz",
  "name": "House at the lake",
  "description": null,
  "visibility": "private",
  "archived": false,
  "role": "viewer",
  "capabilities": [
    "project.view", "artifact.view", "artifact.download", "metadata.view", "event.view"
  ]
}"#;

/// A project, with what the caller may do on it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Project")]
pub(crate) struct ProjectView {
    #[serde(flatten)]
    envelope: Envelope<ProjectId>,
    account_id: AccountId,
    name: Name,
    description: Option<Description>,
    visibility: Visibility,
    /// Whether the project is read-only.
    archived: bool,
    /// The strongest role of the caller on the project.
    role: Option<ProjectRole>,
    /// What the caller may do now.
    capabilities: Capabilities,
}

impl ProjectView {
    /// The project as shown to the person of `access`.
    #[must_use]
    pub(crate) fn with_access(record: &Record<Project>, access: &Access<'_>) -> Self {
        Self {
            envelope: Envelope::of(record),
            account_id: record.id.account(),
            name: record.body.name.clone(),
            description: record.body.description.clone(),
            visibility: record.body.visibility,
            archived: record.body.archived,
            role: access.role(),
            capabilities: access.effective(),
        }
    }
}
