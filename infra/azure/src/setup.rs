//! Setup of resource group, storage account and database account, in this order.

pub mod arm;
pub mod baseline;
mod cosmos;
mod error;
mod group;
mod resource_group;
pub mod rest;
mod roles;
mod step;
mod storage;

pub(crate) use error::refused;
pub use resource_group::ResourceGroup;
pub use roles::{Principal, WrongToken};
pub use step::Step;

use wm_deploy::{cloud, plan::Plan, tags::Tags};
use wm_terminal::failure::Failure;

use self::arm::Arm;

/// The wanted resources, in addition to the baseline.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The resource group of all resources.
    pub resource_group: ResourceGroup,
    /// The location of new resources. Default: that of the group.
    pub location: Option<String>,
    /// The location of a new group without another location.
    pub default_location: String,
    pub storage_account: String,
    /// The private container in the storage account.
    pub storage_container: String,
    pub cosmos_account: String,
    pub cosmos_database: String,
    /// The container of records in the database.
    pub cosmos_container: String,
    /// Whether the database account uses the subscription's one free tier. Default: unchanged.
    pub free_tier: Option<bool>,
    /// The origins whose pages may use signed URLs. If empty, the existing ones stay.
    pub origins: Vec<String>,
    /// The tags to set, in addition to existing tags.
    pub tags: Tags,
    /// The signed-in operator, who receives access to documents.
    pub principal: Principal,
}

/// The wanted resource group, storage account and database.
#[derive(Debug, Clone)]
pub struct Setup {
    arm: Arm,
    wanted: Wanted,
}

impl Setup {
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
