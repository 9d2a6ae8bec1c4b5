//! The bucket of artifacts.

mod apply;
mod describe;
mod plan;
mod policy;
mod rules;

pub use describe::FoundBucket;
pub use plan::BucketStep;

use aws_sdk_s3::Client;
use wm_deploy::{plan::Resource, tags::Tags};

use super::error::SetupError;

/// The bucket, with its client.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    wanted: WantedBucket,
}

/// The wanted bucket, in addition to the baseline.
#[derive(Debug, Clone)]
pub struct WantedBucket {
    pub name: String,
    pub region: String,
    pub account: String,
    /// The origins whose pages may use signed URLs. If empty, the existing ones stay.
    pub origins: Vec<String>,
    /// The tags to set, in addition to existing tags.
    pub tags: Tags,
}

impl Bucket {
    #[must_use]
    pub fn new(client: Client, wanted: WantedBucket) -> Self {
        Self { client, wanted }
    }

    /// Whether the bucket exists.
    ///
    /// # Errors
    /// If the service does not answer, or the bucket belongs to another account or region.
    pub async fn exists(&self) -> Result<bool, SetupError> {
        describe::exists(&self.client, &self.wanted).await
    }

    /// The current state. `None` if the bucket does not exist.
    ///
    /// # Errors
    /// If the service does not answer, or the bucket belongs to another account or region.
    pub async fn describe(&self) -> Result<Option<FoundBucket>, SetupError> {
        describe::describe(&self.client, &self.wanted).await
    }

    /// The plan for a found state, without any calls.
    ///
    /// # Errors
    /// All differences that cannot be corrected.
    pub fn plan(&self, found: Option<&FoundBucket>) -> Result<Resource<BucketStep>, Vec<String>> {
        plan::plan(&self.wanted, found)
    }

    /// Runs one step.
    ///
    /// # Errors
    /// If the service refuses. The next description finds the current state.
    pub async fn apply(&self, step: &BucketStep) -> Result<(), SetupError> {
        apply::apply(&self.client, &self.wanted, step).await
    }
}
