//! Completion from the storage side.

use wm_core::{api::Problem, operations::system::CompleteContent, storage::ObjectPath};

use crate::{Service, ports::Provider};

impl<P: Provider> Service<P> {
    /// Completes the upload an object belongs to, as its uploader's own completion would; one that
    /// arrives twice, late, or without a record changes nothing and is left to the sweep.
    ///
    /// # Errors
    /// When the event should be delivered again.
    pub async fn ingest(&self, path: &ObjectPath) -> Result<(), Problem> {
        self.run(&CompleteContent::new(path.clone())).await.map(drop)
    }
}
