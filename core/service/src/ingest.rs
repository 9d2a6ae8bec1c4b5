//! Completion from the storage side.

use wm_core::{jobs::complete_content::complete_content, operation::Problem, storage::ObjectPath};

use crate::{
    Service,
    ports::{EntropyContext, Provider},
};

impl<P: Provider> Service<P> {
    /// Completes the upload an object belongs to, as its uploader's own completion would. An event
    /// that comes twice changes nothing; an object that comes late, or for which no record waits, is
    /// left to the sweep.
    ///
    /// # Errors
    /// When the event should be delivered again.
    pub async fn ingest(&self, path: &ObjectPath) -> Result<(), Problem> {
        let subject = path.to_string();
        let use_case = complete_content(path);
        match self.run(EntropyContext::Job(&subject), &*use_case).await {
            Err(problem) if problem.kind.status() >= 500 => Err(problem),
            Err(problem) => {
                tracing::info!(%path, %problem, "an object is left to the sweep");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }
}
