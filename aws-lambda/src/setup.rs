//! Setting up: what there is, what it has to be, and the steps from the one to the other.
//!
//! Every run describes first, so that it goes on wherever an earlier one stopped; what is as it has
//! to be is not written to. Settings, statements, rules and tags of others stay.

pub mod baseline;
mod bucket;
mod error;
mod table;
mod wait;

pub use bucket::{Bucket, BucketStep, FoundBucket, WantedBucket};
pub use error::{ServiceError, SetupError};
pub use table::{FoundIndex, FoundTable, Table, TableStep};

use wm_terminal::{plan::Resource, tags::Reserved};

/// What AWS keeps for itself of the keys of tags.
pub const RESERVED_TAGS: Reserved = Reserved {
    starts: &["aws:"],
    marks: "",
};

/// A table and a bucket, as they are wanted.
#[derive(Debug, Clone)]
pub struct Setup {
    table: Table,
    bucket: Bucket,
}

/// What has to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The table.
    pub table: Resource<TableStep>,
    /// The bucket.
    pub bucket: Resource<BucketStep>,
}

impl Plan {
    /// How many settings are created and how many changed.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let (table, bucket) = (self.table.count(), self.bucket.count());
        (table.0 + bucket.0, table.1 + bucket.1)
    }
}

impl Setup {
    /// This table and this bucket.
    #[must_use]
    pub fn new(table: Table, bucket: Bucket) -> Self {
        Self { table, bucket }
    }

    /// Describes both and says what has to be done. Changes nothing.
    ///
    /// # Errors
    /// When a service does not say what there is, and everything that cannot be mended.
    pub async fn plan(&self) -> Result<Plan, SetupError> {
        let table = self.table.describe().await?;
        let bucket = self.bucket.describe().await?;
        let plans = (
            self.table.plan(table.as_ref()),
            self.bucket.plan(bucket.as_ref()),
        );
        match plans {
            (Ok(table), Ok(bucket)) => Ok(Plan { table, bucket }),
            (table, bucket) => {
                let reasons = [table.err(), bucket.err()];
                let reasons = reasons.into_iter().flatten().flatten();
                Err(SetupError::Refused(reasons.collect()))
            }
        }
    }

    /// Carries a plan out, one step after the other; `progress` is told each and what is waited for.
    ///
    /// # Errors
    /// When a service does not do it. What was done stays, and the next plan begins from there.
    pub async fn apply(&self, plan: &Plan, progress: impl Fn(&str)) -> Result<(), SetupError> {
        // The bucket first: its name may be taken by somebody else, the table's cannot.
        for step in &plan.bucket.steps {
            progress(&step.to_string());
            self.bucket.apply(step).await?;
        }
        for step in &plan.table.steps {
            progress(&step.to_string());
            self.table.apply(step, &progress).await?;
        }
        Ok(())
    }
}
