//! Completion of uploads on storage events.

use wm_core::{jobs::complete_content::complete_content, operation::Problem, storage::ObjectPath};

use crate::{
    Service,
    ports::{EntropyContext, Provider},
};

impl<P: Provider> Service<P> {
    /// Completes the upload of an object with the same checks as a completion by its uploader. A
    /// repeated event changes nothing. Late objects and objects without a waiting record are left
    /// to the sweep.
    ///
    /// # Errors
    /// If the event must be delivered again.
    pub async fn ingest(&self, path: &ObjectPath) -> Result<(), Problem> {
        let subject = path.to_string();
        let use_case = complete_content(path);
        match self.run(EntropyContext::Job(&subject), &*use_case).await {
            Err(problem) if problem.kind.status() >= 500 => Err(problem),
            Err(problem) => {
                tracing::info!(%path, %problem, "left an object to the sweep");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }
}
