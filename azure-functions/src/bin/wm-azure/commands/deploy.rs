//! `wm deploy azure`

mod parameters;
mod secret;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use wm_terminal::tags::{ChosenTags, Tags};

use self::parameters::Settings;
use crate::{
    account::{Account, failure},
    build::{self, Build},
    deployment::{Choice, Data, Deployment, Names},
    failure::Failure,
    flags::given,
    output::{line, notice},
    package,
    record::{self, Record, deployed},
    stack::{AZ, FUNC, Parameters, Verb, deploy, make_group, publish},
    tools::{Run, Tool, require, root},
};

/// The template, from the repository's root.
const TEMPLATE: &str = "infra/azure/main.json";
/// The parameter that says whether events can be delivered already.
const PUBLISHED: &str = "functionsPublished";

const EXAMPLES: &str = "\
Examples:
  wm deploy azure --plan …
  wm deploy azure --publisher-email docs@example.com \\
      --entra-issuer https://11112222-3333-4444-5555-666677778888.ciamlogin.com/…/v2.0 \\
      --entra-tenant 11112222-3333-4444-5555-666677778888 --entra-client 9999aaaa-…
  wm deploy azure --environment prod --location westeurope --origin https://docs.example.com …
  wm deploy azure --no-build --parameter gatewaySku=BasicV2

Builds the handler and deploys the functions with all they need, as one deployment of a template with
az; then publishes the functions with func. The first time the template is deployed twice: events are
delivered to functions that are there. The first time, storage and database are made by it, unless both
exist already: then they are used as they are and left alone. What is not named again stays as it was
deployed before. The secret of the surface is made once, into the Key Vault, and shown to nobody.

Needs az (`pip install azure-cli`), func (`npm install --global azure-functions-core-tools@4`), cargo
with the target x86_64-unknown-linux-musl and musl-gcc or else cargo-zigbuild, and the role Owner of the
resource group: roles are given in it.";

/// Build the functions and deploy everything
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Deploy {
    #[command(flatten)]
    deployment: Deployment,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    settings: Settings,
    /// Whether a database that is made takes the subscription's one free tier
    #[arg(
        long,
        value_name = "BOOL",
        env = "AZURE_COSMOS_ENABLE_FREE_TIER",
        default_value = "",
        hide_default_value = true
    )]
    free_tier: Choice,
    /// Tags for everything, beside `application` and `environment`: `key=value,key=value`
    #[arg(long, env = "AZURE_TAGS", default_value = "", hide_default_value = true, value_parser = super::tags)]
    tags: ChosenTags,
    /// The repository, unless this is run inside it
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// Deploy what was built before
    #[arg(long)]
    no_build: bool,
    /// Say what would be run and what it would change, and change nothing
    #[arg(long)]
    plan: bool,
}

impl Deploy {
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        let root = root(self.repository.as_deref(), TEMPLATE)?;
        let names = self.deployment.names(&mut self.data)?;
        names.fit()?;
        let build = self.check_tools()?;
        let account = Account::open(given(self.deployment.subscription.as_ref())).await?;
        let before = Record::find(&account, &names, &names.stem()).await?;
        let mut parameters = self
            .settings
            .parameters(&account, &names, &self.data, before.as_ref(), &root)
            .await?;
        if before.is_none() || self.tags != ChosenTags::default() {
            parameters.insert("tags".to_owned(), json!(names.tags(&self.tags)));
        }
        if let Some(free) = self.free_tier.0 {
            parameters.insert("cosmosFreeTier".to_owned(), free.into());
        }
        let is_first = !before.as_ref().is_some_and(is_published);
        parameters.insert(PUBLISHED.to_owned(), (!is_first).into());
        let work = Work {
            account: &account,
            names: &names,
            root: &root,
            build,
            tags: names.tags(&self.tags),
            makes_group: !self.has_group(&account, &names).await?,
            parameters,
            is_first,
        };
        work.show()?;
        if self.plan {
            return work.what_if();
        }
        work.carry_out().await?;
        tell(&account, &names).await
    }

    /// How the handler is built; a plan can be made without the tools.
    fn check_tools(&self) -> Result<Option<Build>, Failure> {
        let tools: &[Tool] = &[AZ, FUNC];
        let build = match self.no_build {
            true => Ok(None),
            false => Build::here().map(Some),
        };
        let missing = [require(tools).err(), build.as_ref().err().map(again)];
        let missing: Vec<String> = missing
            .into_iter()
            .flatten()
            .map(|failure| failure.to_string())
            .collect();
        if missing.is_empty() {
            return build;
        }
        let missing = missing.join("; ");
        if self.plan && AZ.is_there() {
            notice(format!("missing: {missing}"));
            return Ok((!self.no_build).then_some(Build::Static));
        }
        Err(Failure::new(missing))
    }

    async fn has_group(&self, account: &Account, names: &Names) -> Result<bool, Failure> {
        let id = names.place(&account.subscription).group_id();
        let found = account.arm.get(&id, record::API).await;
        Ok(found.map_err(|error| failure(error.into()))?.is_some())
    }
}

/// The same failure, to keep.
fn again(failure: &Failure) -> Failure {
    Failure::new(failure.to_string())
}

/// Whether functions were published after a deployment.
fn is_published(record: &Record) -> bool {
    record.is_finished() && record.parameters.get(PUBLISHED) == Some(&Value::Bool(true))
}

/// All that has to be done.
struct Work<'run> {
    account: &'run Account,
    names: &'run Names,
    root: &'run Path,
    build: Option<Build>,
    makes_group: bool,
    tags: Tags,
    parameters: Parameters,
    is_first: bool,
}

impl Work<'_> {
    fn group(&self) -> Option<Run> {
        let needed = self.makes_group;
        needed.then(|| make_group(self.account, self.names, &self.tags))
    }

    fn deploy(&self, verb: Verb) -> Run {
        let stem = self.names.stem();
        deploy(
            verb,
            self.account,
            self.names,
            TEMPLATE,
            &stem,
            &self.parameters,
        )
    }

    fn publish(&self) -> Run {
        publish(self.account, &self.names.stem())
    }

    /// The second deployment, after functions were published for the first time.
    fn complete(&self) -> Option<Run> {
        let mut parameters = self.parameters.clone();
        parameters.insert(PUBLISHED.to_owned(), true.into());
        let stem = self.names.stem();
        self.is_first.then(|| {
            deploy(
                Verb::Create,
                self.account,
                self.names,
                TEMPLATE,
                &stem,
                &parameters,
            )
        })
    }

    /// Says what is run, in this order.
    fn show(&self) -> Result<(), Failure> {
        let (subscription, group) = (&self.account.subscription, &self.names.group);
        line(format!(
            "in the subscription `{subscription}`, the resource group `{group}`:"
        ))?;
        let first = [
            self.build.map(Build::run),
            self.group(),
            Some(self.deploy(Verb::Create)),
        ];
        for run in first.iter().flatten() {
            line(format!("  {run}"))?;
        }
        line("  put a secret into the Key Vault, unless it holds one")?;
        for run in [Some(self.publish()), self.complete()].iter().flatten() {
            line(format!("  {run}"))?;
        }
        Ok(())
    }

    /// Says what the deployment would change, where that can be asked.
    fn what_if(&self) -> Result<(), Failure> {
        if !self.makes_group {
            self.deploy(Verb::WhatIf).stream(self.root)?;
        }
        line("nothing was run")
    }

    async fn carry_out(&self) -> Result<(), Failure> {
        for run in self.build.map(Build::run).iter().chain(&self.group()) {
            run.stream(self.root)?;
        }
        let handler = build::latest(self.root, self.build)?;
        let package = package::assemble(self.root, &handler)?;
        notice("deploying the template, which takes a quarter of an hour the first time");
        self.deploy(Verb::Create).stream(self.root)?;
        let record = deployed(self.account, self.names).await?;
        let vault = record.needed(self.names, "keyVaultName")?;
        secret::keep(self.account, self.names, vault).await?;
        self.publish().stream(&package)?;
        match self.complete() {
            Some(run) => run.stream(self.root),
            None => Ok(()),
        }
    }
}

/// Where everything is, and what comes next.
async fn tell(account: &Account, names: &Names) -> Result<(), Failure> {
    let record = deployed(account, names).await?;
    let output = |name: &str| record.output(name).unwrap_or("unknown");
    line("done")?;
    line(format!("  the API answers at {}", output("apiUrl")))?;
    line(format!("  mails come from {}", output("mailSender")))?;
    line("next:")?;
    line(format!("  curl {}/health/ready", output("apiUrl")))?;
    line("  `wm deploy-site azure` puts the console beside it")
}
