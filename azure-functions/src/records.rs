//! The database: one Cosmos DB container.

use wm_core::storage::{Batch, Item, Key, List, Page, Range};
use wm_service::ports::{CommitError, PortError, PortErrorKind, Records};

use crate::{
    config::Config,
    sdk::{Sdk, SdkError},
};

/// The port over a container.
#[derive(Debug, Clone)]
pub struct CosmosRecords;

impl CosmosRecords {
    /// The container the handler is configured with.
    ///
    /// # Errors
    /// [`SdkError`].
    pub fn new(_: &Sdk, _: &Config) -> Result<Self, SdkError> {
        Ok(Self)
    }
}

impl Records for CosmosRecords {
    async fn get(&self, _: &Key) -> Result<Option<Item>, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn scan(&self, _: &Range) -> Result<Page, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn list(&self, _: &List) -> Result<Page, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
    async fn commit(&self, _: &Batch) -> Result<(), CommitError> {
        Err(CommitError::Failed(PortError::new(
            PortErrorKind::Unavailable,
            "not there yet",
        )))
    }
}
