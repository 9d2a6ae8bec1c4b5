//! The table of records.

mod apply;
mod describe;
mod plan;
mod refuse;

pub use describe::{FoundIndex, FoundTable};
pub use plan::TableStep;

use aws_sdk_dynamodb::Client;
use wm_deploy::{plan::Resource, tags::Tags};

use super::error::SetupError;

/// The wanted table.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
    tags: Tags,
}

impl Table {
    /// The table with this name. The tags are set in addition to existing tags.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, tags: Tags) -> Self {
        Self {
            client,
            name: name.into(),
            tags,
        }
    }

    /// The current state. `None` if the table does not exist. Waits for a table that is being
    /// created.
    ///
    /// # Errors
    /// If the service does not answer.
    pub async fn describe(&self) -> Result<Option<FoundTable>, SetupError> {
        describe::describe(&self.client, &self.name).await
    }

    /// The plan for a found state, without any calls.
    ///
    /// # Errors
    /// All differences that cannot be corrected.
    pub fn plan(&self, found: Option<&FoundTable>) -> Result<Resource<TableStep>, Vec<String>> {
        plan::plan(&self.name, &self.tags, found)
    }

    /// Runs one step and waits until the table is stable. `progress` receives the reason for
    /// waiting.
    ///
    /// # Errors
    /// If the service refuses. The next description finds the current state.
    pub async fn apply(&self, step: &TableStep, progress: impl Fn(&str)) -> Result<(), SetupError> {
        apply::apply(self, step, progress).await
    }
}
