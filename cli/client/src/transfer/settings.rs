//! Settings of transfers.

use std::{path::PathBuf, sync::Arc};

use super::progress::{NoProgress, Progress};
use crate::client::Client;

/// Uploads to and downloads from the object store. Memory use does not depend on the size of a
/// file.
#[derive(Debug, Clone)]
pub struct Transfer<'a> {
    pub(super) client: &'a Client,
    pub(super) progress: Arc<dyn Progress>,
    pub(super) resume_directory: Option<PathBuf>,
}

impl<'a> Transfer<'a> {
    /// Transfers of this client, without progress reports and without resumable uploads.
    #[must_use]
    pub fn new(client: &'a Client) -> Self {
        Self {
            client,
            progress: Arc::new(NoProgress),
            resume_directory: None,
        }
    }

    /// Reports progress to this observer.
    #[must_use]
    pub fn progress(self, progress: Arc<dyn Progress>) -> Self {
        Self { progress, ..self }
    }

    /// Stores the state of unfinished uploads in this directory, so that a repeated upload
    /// continues. The state contains ids and part numbers, but no URL and no token.
    #[must_use]
    pub fn resume_directory(self, directory: impl Into<PathBuf>) -> Self {
        Self {
            resume_directory: Some(directory.into()),
            ..self
        }
    }
}
