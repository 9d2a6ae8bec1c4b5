//! Projects.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod update;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{Route, view::Envelope},
    permission::Access,
    record::{Project, Record, Visibility},
    value::{AccountId, Capabilities, Description, Name, ProjectId, ProjectRole},
};

/// The routes.
pub const ROUTES: &[&Route] = &[
    &create::ROUTE,
    &list::ROUTE,
    &get::ROUTE,
    &update::ROUTE,
    &delete::ROUTE,
];

/// A project, as answered: with what the caller may do in it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Project")]
pub struct ProjectView {
    #[serde(flatten)]
    envelope: Envelope<ProjectId>,
    account_id: AccountId,
    name: Name,
    description: Option<Description>,
    visibility: Visibility,
    archived: bool,
    /// The strongest role the caller has on it.
    role: Option<ProjectRole>,
    /// What the caller may do now.
    capabilities: Capabilities,
}

impl ProjectView {
    /// The project as whoever `access` is about sees it.
    #[must_use]
    pub fn with_access(record: &Record<Project>, access: &Access<'_>) -> Self {
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
