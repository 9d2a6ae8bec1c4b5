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

/// The table as it is wanted.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
    tags: Tags,
}

impl Table {
    /// The table of this name, with these tags beside whatever tags it has.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, tags: Tags) -> Self {
        Self {
            client,
            name: name.into(),
            tags,
        }
    }

    /// What is there; `None` when there is no such table. Waits for a table that is just being made.
    ///
    /// # Errors
    /// When the service does not say.
    pub async fn describe(&self) -> Result<Option<FoundTable>, SetupError> {
        describe::describe(&self.client, &self.name).await
    }

    /// What has to be done. Pure.
    ///
    /// # Errors
    /// Everything that cannot be mended.
    pub fn plan(&self, found: Option<&FoundTable>) -> Result<Resource<TableStep>, Vec<String>> {
        plan::plan(&self.name, &self.tags, found)
    }

    /// Carries one step out and waits until the table has settled; `progress` is told what it waits for.
    ///
    /// # Errors
    /// When the service does not do it. The next description finds whatever was done.
    pub async fn apply(&self, step: &TableStep, progress: impl Fn(&str)) -> Result<(), SetupError> {
        apply::apply(self, step, progress).await
    }
}
