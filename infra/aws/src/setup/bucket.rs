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

/// The bucket and how to reach it.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    wanted: WantedBucket,
}

/// The bucket as it is wanted, beside what the baseline says.
#[derive(Debug, Clone)]
pub struct WantedBucket {
    pub name: String,
    pub region: String,
    pub account: String,
    /// The origins whose pages may use signed addresses. Without any, those that it has stay.
    pub origins: Vec<String>,
    /// Its tags, beside whatever tags it has.
    pub tags: Tags,
}

impl Bucket {
    /// The bucket behind this client.
    #[must_use]
    pub fn new(client: Client, wanted: WantedBucket) -> Self {
        Self { client, wanted }
    }

    /// Whether there is such a bucket.
    ///
    /// # Errors
    /// When the service does not say, or the bucket is in another account or region.
    pub async fn exists(&self) -> Result<bool, SetupError> {
        describe::exists(&self.client, &self.wanted).await
    }

    /// What is there; `None` when there is no such bucket.
    ///
    /// # Errors
    /// When the service does not say, or the bucket is in another account or region.
    pub async fn describe(&self) -> Result<Option<FoundBucket>, SetupError> {
        describe::describe(&self.client, &self.wanted).await
    }

    /// What has to be done. Pure.
    ///
    /// # Errors
    /// Everything that cannot be mended.
    pub fn plan(&self, found: Option<&FoundBucket>) -> Result<Resource<BucketStep>, Vec<String>> {
        plan::plan(&self.wanted, found)
    }

    /// Carries one step out.
    ///
    /// # Errors
    /// When the service does not do it. The next description finds whatever was done.
    pub async fn apply(&self, step: &BucketStep) -> Result<(), SetupError> {
        apply::apply(&self.client, &self.wanted, step).await
    }
}
