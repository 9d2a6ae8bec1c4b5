//! `wm setup azure`

use std::path::PathBuf;

use clap::Args;
use wm_azure::setup::{self, Plan, Wanted};
use wm_core::catalog::Provider;
use wm_terminal::{selection, tags::ChosenTags};

use crate::{
    account::{Account, failure},
    deployment::{Choice, Data, Deployment, Names},
    failure::Failure,
    flags::given,
    origin::Origin,
    output::{line, notice},
};

const EXAMPLES: &str = "\
Examples:
  wm setup azure --plan
  wm setup azure --location westeurope --environment prod --origin https://docs.example.com
  wm setup azure --selection web/src/config/backend.js
  AZURE_TAGS=team=docs,cost-center=42 wm setup azure --resource-group acme --storage-account acmedocs

Looks at what is there, says what it will create or change, and does it step by step. What is as it
has to be is not touched; rules, index entries, roles and tags of others stay, and a resource group
that is there is left alone. It may be stopped at any time and run again. What cannot be mended, such
as another partition key or an account in another location, is refused before anything is changed.

Whoever is signed in with `az` is given the role Storage Blob Data Contributor on the container.
`wm deploy azure` makes storage and database too. Run this first to use those that exist, or to keep
both out of the deployment.";

/// Make the storage and the database, or harden those that are there
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Setup {
    #[command(flatten)]
    deployment: Deployment,
    #[command(flatten)]
    data: Data,
    /// A backend selection that names environment, location, storage and database
    #[arg(long, value_name = "FILE", conflicts_with = "environment")]
    selection: Option<PathBuf>,
    /// Whether a database that is made takes the subscription's one free tier
    #[arg(
        long,
        value_name = "BOOL",
        env = "AZURE_COSMOS_ENABLE_FREE_TIER",
        default_value = "",
        hide_default_value = true
    )]
    free_tier: Choice,
    /// An origin whose pages may use signed addresses; again for more
    #[arg(long = "origin", value_name = "URL")]
    origins: Vec<Origin>,
    /// Tags for all that is made, beside `application` and `environment`: `key=value,key=value`
    #[arg(long, env = "AZURE_TAGS", default_value = "", hide_default_value = true, value_parser = super::tags)]
    tags: ChosenTags,
    /// Say what would be done and change nothing
    #[arg(long)]
    plan: bool,
}

impl Setup {
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        self.select()?;
        let names = self.deployment.names(&mut self.data)?;
        let account = Account::open(given(self.deployment.subscription.as_ref())).await?;
        let setup = setup::Setup::new(account.arm.clone(), self.wanted(&account, &names));
        let plan = setup.plan().await.map_err(failure)?;
        show(&account, &plan)?;
        let (created, changed) = plan.count();
        if created + changed == 0 {
            return line("everything is as it has to be; nothing was changed");
        }
        if self.plan {
            return line(format!(
                "{created} to create, {changed} to change; nothing was changed"
            ));
        }
        setup
            .apply(&plan, |step| notice(step))
            .await
            .map_err(failure)?;
        line(format!("done: {created} created, {changed} changed"))?;
        line(format!(
            "next: `wm deploy azure` with the same flags deploys the functions beside `{}`",
            names.cosmos_account
        ))
    }

    /// Takes from the selection what no flag and no variable names.
    fn select(&mut self) -> Result<(), Failure> {
        let Some(file) = &self.selection else {
            return Ok(());
        };
        let selection = selection::read(file, Provider::Azure)?;
        let location = ("location", &mut self.deployment.location);
        for (path, flag) in self.data.flags().into_iter().chain([location]) {
            selection::fill(flag, &selection, path);
        }
        self.deployment.environment = selection.environment;
        Ok(())
    }

    fn wanted(&self, account: &Account, names: &Names) -> Wanted {
        Wanted {
            place: names.place(&account.subscription),
            location: names.location.clone(),
            default_location: names.default_location.clone(),
            storage_account: names.storage_account.clone(),
            storage_container: names.storage_container.clone(),
            cosmos_account: names.cosmos_account.clone(),
            cosmos_database: names.cosmos_database.clone(),
            cosmos_container: names.cosmos_container.clone(),
            free_tier: self.free_tier.0,
            origins: self.origins.iter().map(ToString::to_string).collect(),
            tags: names.tags(&self.tags),
            principal: account.principal.clone(),
        }
    }
}

fn show(account: &Account, plan: &Plan) -> Result<(), Failure> {
    let subscription = &account.subscription;
    line(format!("in the subscription `{subscription}`:"))?;
    for resource in &plan.resources {
        line(resource.to_string())?;
    }
    Ok(())
}
