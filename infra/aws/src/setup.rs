//! Setup of table and bucket.

pub mod baseline;
mod bucket;
mod error;
mod table;
mod wait;

pub use bucket::{Bucket, BucketStep, FoundBucket, WantedBucket};
pub use error::SetupError;
pub(crate) use error::service_error;
pub use table::{FoundIndex, FoundTable, Table, TableStep};

use std::fmt;

use wm_deploy::{cloud, plan::Plan};
use wm_terminal::failure::Failure;

/// The wanted table and bucket.
#[derive(Debug, Clone)]
pub struct Setup {
    table: Table,
    bucket: Bucket,
}

/// One change to the table or the bucket.
#[derive(Debug, Clone)]
pub enum Step {
    Table(TableStep),
    Bucket(BucketStep),
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(step) => step.fmt(formatter),
            Self::Bucket(step) => step.fmt(formatter),
        }
    }
}

impl Setup {
    #[must_use]
    pub fn new(table: Table, bucket: Bucket) -> Self {
        Self { table, bucket }
    }
}

impl cloud::Setup for Setup {
    type Step = Step;

    async fn plan(&self) -> Result<Plan<Step>, Failure> {
        let table = self.table.describe().await?;
        let bucket = self.bucket.describe().await?;
        let table = self.table.plan(table.as_ref());
        let bucket = self.bucket.plan(bucket.as_ref());
        let plans = [
            table.map(|table| table.map(Step::Table)),
            bucket.map(|bucket| bucket.map(Step::Bucket)),
        ];
        let mut plan = Plan::of(plans)?;
        // The bucket comes first: its name may belong to another account, which is not possible for
        // a table.
        plan.resources.reverse();
        Ok(plan)
    }

    async fn apply(&self, step: &Step, progress: impl Fn(&str)) -> Result<(), Failure> {
        match step {
            Step::Table(step) => self.table.apply(step, progress).await?,
            Step::Bucket(step) => self.bucket.apply(step).await?,
        }
        Ok(())
    }
}
