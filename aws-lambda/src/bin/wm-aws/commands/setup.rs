//! `wm setup aws`

use std::path::PathBuf;

use aws_sdk_dynamodb::Client;
use clap::Args;
use wm_aws::setup::{self, Bucket, Plan, SetupError, Table, WantedBucket};
use wm_core::catalog::Provider;
use wm_terminal::{selection, tags::ChosenTags};

use crate::{
    account::Account,
    deployment::{Data, Deployment, Names},
    failure::Failure,
    flags::given,
    origin::Origin,
    output::{line, notice},
};

const EXAMPLES: &str = "\
Examples:
  wm setup aws --plan
  wm setup aws --region eu-central-1 --environment prod --origin https://docs.example.com
  wm setup aws --selection web/src/config/backend.js
  AWS_PROFILE=acme AWS_TAGS=team=docs,cost-center=42 wm setup aws --bucket acme-documents

Looks at what is there, says what it will create or change, and does it step by step. What is as it
has to be is not touched; statements, rules, indexes and tags of others stay. It may be stopped at
any time and run again. What cannot be mended, such as other keys or a bucket in another account, is
refused before anything is changed.

`wm deploy aws` makes table and bucket too. Run this first to use those that exist, or to keep both
out of the stack.";

/// Make the table and the private bucket, or harden those that are there
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Setup {
    #[command(flatten)]
    deployment: Deployment,
    #[command(flatten)]
    data: Data,
    /// A backend selection that names environment, region, bucket and table
    #[arg(long, value_name = "FILE", conflicts_with = "environment")]
    selection: Option<PathBuf>,
    /// An origin whose pages may use signed addresses; again for more
    #[arg(long = "origin", value_name = "URL")]
    origins: Vec<Origin>,
    /// Tags for both, beside `application` and `environment`: `key=value,key=value`
    #[arg(long, env = "AWS_TAGS", default_value = "", hide_default_value = true, value_parser = super::tags)]
    tags: ChosenTags,
    /// Say what would be done and change nothing
    #[arg(long)]
    plan: bool,
}

impl Setup {
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        self.select()?;
        let names = self.deployment.names(Some(&self.data))?;
        let account = Account::open(given(self.deployment.region.as_ref())).await?;
        let setup = self.wanted(&account, &names);
        let plan = setup.plan().await.map_err(failure)?;
        self.show(&account, &plan)?;
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
            "next: `wm deploy aws` with the same flags deploys the functions beside `{}`",
            names.table
        ))
    }

    /// Takes from the selection what no flag and no variable names.
    fn select(&mut self) -> Result<(), Failure> {
        let Some(file) = &self.selection else {
            return Ok(());
        };
        let selection = selection::read(file, Provider::Aws)?;
        for (flag, path) in [
            (&mut self.deployment.region, "region"),
            (&mut self.data.bucket, "storage.bucket"),
            (&mut self.data.table, "database.table"),
        ] {
            selection::fill(flag, &selection, path);
        }
        self.deployment.environment = selection.environment;
        Ok(())
    }

    fn wanted(&self, account: &Account, names: &Names) -> setup::Setup {
        let tags = names.tags(&self.tags);
        let wanted = WantedBucket {
            name: names.bucket.clone(),
            region: account.region.clone(),
            account: account.id.clone(),
            origins: self.origins.iter().map(ToString::to_string).collect(),
            tags: tags.clone(),
        };
        let table = Table::new(Client::new(&account.config), &names.table, tags);
        setup::Setup::new(table, Bucket::new(account.s3(), wanted))
    }

    fn show(&self, account: &Account, plan: &Plan) -> Result<(), Failure> {
        let Account { id, region, .. } = account;
        line(format!("in the account `{id}`, region `{region}`:"))?;
        line(plan.bucket.to_string())?;
        line(plan.table.to_string())
    }
}

/// What stops it, in one line.
pub(super) fn failure(error: SetupError) -> Failure {
    Failure::new(error.to_string())
}
