//! Setting up: what there is, what it has to be, and the steps from the one to the other.
//!
//! Every run describes first, so that it goes on wherever an earlier one stopped; what is as it has
//! to be is not written to. Settings, rules, roles and tags of others stay.

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

pub use error::{ServiceError, SetupError};
pub use place::Place;
pub use roles::{Principal, WrongToken};
pub use step::Step;

use wm_terminal::{
    plan::Resource,
    tags::{Reserved, Tags},
};

use self::arm::Arm;

/// What Azure keeps for itself of the keys of tags.
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources>
pub const RESERVED_TAGS: Reserved = Reserved {
    starts: &["microsoft", "azure", "windows"],
    marks: "/",
};

/// What is wanted, beside what the baseline says.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The resource group everything is in.
    pub place: Place,
    /// Where things are made; without it where the group is, and for a group that is made the default.
    pub location: Option<String>,
    /// Where a group is made for which nobody says it.
    pub default_location: String,
    /// The storage account.
    pub storage_account: String,
    /// The private container in it.
    pub storage_container: String,
    /// The database account.
    pub cosmos_account: String,
    /// The database in it.
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

/// What has to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The resource group, the storage account and the database account, in this order.
    pub resources: Vec<Resource<Step>>,
}

impl Plan {
    /// How many settings are created and how many changed.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        let counts = self.resources.iter().map(Resource::count);
        counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1))
    }
}

impl Setup {
    /// These, behind this manager.
    #[must_use]
    pub fn new(arm: Arm, wanted: Wanted) -> Self {
        Self { arm, wanted }
    }

    /// Describes everything and says what has to be done. Changes nothing.
    ///
    /// # Errors
    /// When a service does not say what there is, and everything that cannot be mended.
    pub async fn plan(&self) -> Result<Plan, SetupError> {
        let (arm, wanted) = (&self.arm, &self.wanted);
        let group = group::describe(arm, wanted).await?;
        let storage = storage::describe(arm, wanted).await?;
        let cosmos = cosmos::describe(arm, wanted).await?;
        let location = group.location(wanted);
        let plans = [
            Ok(group::plan(wanted, &group, &location)),
            storage::plan(wanted, &storage, &location),
            cosmos::plan(wanted, &cosmos, &location),
        ];
        let (mut resources, mut reasons) = (Vec::new(), Vec::new());
        for plan in plans {
            match plan {
                Ok(plan) => resources.push(plan),
                Err(wrong) => reasons.extend(wrong),
            }
        }
        if reasons.is_empty() {
            return Ok(Plan { resources });
        }
        Err(SetupError::Refused(reasons))
    }

    /// Carries a plan out, one step after the other; `progress` is told each and what is waited for.
    ///
    /// # Errors
    /// When a service does not do it. What was done stays, and the next plan begins from there.
    pub async fn apply(&self, plan: &Plan, progress: impl Fn(&str)) -> Result<(), SetupError> {
        for step in plan.resources.iter().flat_map(|resource| &resource.steps) {
            progress(&step.to_string());
            self.arm.write(step, &progress).await?;
        }
        Ok(())
    }
}
