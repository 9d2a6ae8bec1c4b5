//! Sets up the resource group, the storage account and the database account, in this order.

pub mod arm;
pub mod baseline;
mod cosmos;
mod error;
mod group;
mod place;
pub mod rest;
mod roles;
mod step;
mod storage;

pub(crate) use error::refused;
pub use place::Place;
pub use roles::{Principal, WrongToken};
pub use step::Step;

use wm_deploy::{cloud, plan::Plan, tags::Tags};
use wm_terminal::failure::Failure;

use self::arm::Arm;

/// What is wanted, beside what the baseline says.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The resource group everything is in.
    pub place: Place,
    /// Where things are made; without it where the group is, and for a group that is made the default.
    pub location: Option<String>,
    /// Where a group is made for which nobody says it.
    pub default_location: String,
    pub storage_account: String,
    /// The private container in it.
    pub storage_container: String,
    /// The database account.
    pub cosmos_account: String,
    pub cosmos_database: String,
    /// The container of records in that.
    pub cosmos_container: String,
    /// Whether the database takes the subscription's one free tier; without it, what it has.
    pub free_tier: Option<bool>,
    /// The origins whose pages may use signed addresses. Without any, those that it has stay.
    pub origins: Vec<String>,
    /// Tags for what is made, beside whatever tags it has.
    pub tags: Tags,
    /// Who may read and write documents after this: whoever is signed in.
    pub principal: Principal,
}

/// A resource group with a storage account and a database, as they are wanted.
#[derive(Debug, Clone)]
pub struct Setup {
    arm: Arm,
    wanted: Wanted,
}

impl Setup {
    /// These, behind this manager.
    #[must_use]
    pub fn new(arm: Arm, wanted: Wanted) -> Self {
        Self { arm, wanted }
    }
}

impl cloud::Setup for Setup {
    type Step = Step;

    async fn plan(&self) -> Result<Plan<Step>, Failure> {
        let (arm, wanted) = (&self.arm, &self.wanted);
        let group = group::describe(arm, wanted).await?;
        let storage = storage::describe(arm, wanted).await?;
        let cosmos = cosmos::describe(arm, wanted).await?;
        let location = group.location(wanted);
        Plan::of([
            Ok(group::plan(wanted, &group, &location)),
            storage::plan(wanted, &storage, &location),
            cosmos::plan(wanted, &cosmos, &location),
        ])
    }

    async fn apply(&self, step: &Step, progress: impl Fn(&str)) -> Result<(), Failure> {
        Ok(self.arm.write(step, progress).await?)
    }
}
