//! Deployment of the surface as one template, and publishing of the functions.

use std::path::Path;

use serde_json::{Value, json};
use wm_deploy::{
    cloud::{Report, Rollout},
    commands::Deploy,
    tags::{ChosenTags, Tags},
    tools::{Run, Tool, require},
};
use wm_terminal::{failure::Failure, output::notice};

use crate::{
    account::Account,
    build::{self, Build},
    deployment::Names,
    package,
    record::{self, Record, deployed},
    secret,
    stack::{AZ, FUNC, Parameters, Verb, deploy, make_group, publish},
};

/// The template of the surface.
pub(crate) const TEMPLATE: &str = "infra/azure/main.json";
/// The parameter that tells whether functions are published, so that events can be delivered.
const PUBLISHED: &str = "functionsPublished";

/// The way to build the handler, unless the build is skipped. A plan needs `az` only.
pub(crate) fn check_tools(no_build: bool, plan: bool) -> Result<Option<Build>, Failure> {
    let tools: &[Tool] = &[AZ, FUNC];
    let build = match no_build {
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
    if plan && AZ.is_there() {
        notice(format!("missing: {missing}"));
        return Ok((!no_build).then_some(Build::Static));
    }
    Err(Failure::new(missing))
}

/// A copy of a failure.
fn again(failure: &Failure) -> Failure {
    Failure::new(failure.to_string())
}

/// Whether functions were published after a deployment.
fn is_published(record: &Record) -> bool {
    record.is_finished() && record.parameters.get(PUBLISHED) == Some(&Value::Bool(true))
}

/// The handler and the template of a deployment.
#[derive(Debug)]
pub struct TemplateDeployment<'run> {
    account: &'run Account,
    names: Names,
    root: &'run Path,
    /// The way to build the handler. `None` if the build is skipped.
    build: Option<Build>,
    makes_group: bool,
    tags: Tags,
    parameters: Parameters,
    /// Whether functions were never published. Then a second deployment starts the delivery of
    /// events.
    is_first: bool,
}

impl<'run> TemplateDeployment<'run> {
    pub(crate) async fn prepare(
        account: &'run Account,
        flags: &Deploy<Account>,
        names: Names,
        root: &'run Path,
        build: Option<Build>,
    ) -> Result<Self, Failure> {
        let before = Record::find(account, &names, &names.base_name.to_string()).await?;
        let (settings, tags) = (&flags.settings, names.base_name.tags(&flags.tags));
        let mut parameters = settings
            .parameters(account, &names, &flags.data, before.as_ref(), root)
            .await?;
        if before.is_none() || flags.tags != ChosenTags::default() {
            parameters.insert("tags".to_owned(), json!(tags));
        }
        if let Some(free) = settings.free_tier.0 {
            parameters.insert("cosmosFreeTier".to_owned(), free.into());
        }
        let is_first = !before.as_ref().is_some_and(is_published);
        parameters.insert(PUBLISHED.to_owned(), (!is_first).into());
        let group = names.resource_group(&account.subscription).group_id();
        let makes_group = account.arm.get(&group, record::API).await?.is_none();
        Ok(Self {
            account,
            names,
            root,
            build,
            makes_group,
            tags,
            parameters,
            is_first,
        })
    }

    fn group(&self) -> Option<Run> {
        let needed = self.makes_group;
        needed.then(|| make_group(self.account, &self.names, &self.tags))
    }

    fn deploy(&self, verb: Verb, parameters: &Parameters) -> Run {
        let (names, base_name) = (&self.names, self.names.base_name.to_string());
        deploy(verb, self.account, names, TEMPLATE, &base_name, parameters)
    }

    fn create(&self) -> Run {
        self.deploy(Verb::Create, &self.parameters)
    }

    fn publish(&self) -> Run {
        publish(self.account, &self.names.base_name.to_string())
    }

    /// The second deployment, after functions were published for the first time.
    fn complete(&self) -> Option<Run> {
        let mut parameters = self.parameters.clone();
        parameters.insert(PUBLISHED.to_owned(), true.into());
        self.is_first
            .then(|| self.deploy(Verb::Create, &parameters))
    }
}

impl Rollout for TemplateDeployment<'_> {
    fn title(&self) -> String {
        format!("the resource group `{}`", self.names.group)
    }

    fn steps(&self) -> Vec<String> {
        let build = self.build.map(Build::run);
        let first = [build, self.group(), Some(self.create())];
        let first = first.iter().flatten().map(Run::to_string);
        let last = [Some(self.publish()), self.complete()];
        let last = last.iter().flatten().map(Run::to_string);
        let secret = "put a secret into the Key Vault, unless it has one".to_owned();
        first.chain([secret]).chain(last).collect()
    }

    /// A group that does not exist yet has no preview.
    fn preview(&self) -> Result<(), Failure> {
        if self.makes_group {
            return Ok(());
        }
        self.deploy(Verb::WhatIf, &self.parameters)
            .stream(self.root)
    }

    async fn carry_out(&self) -> Result<(), Failure> {
        for run in self.build.map(Build::run).iter().chain(&self.group()) {
            run.stream(self.root)?;
        }
        let handler = build::latest(self.root, self.build)?;
        let package = package::assemble(self.root, &handler)?;
        notice("deploying the template; the first time takes a quarter of an hour");
        self.create().stream(self.root)?;
        let record = deployed(self.account, &self.names).await?;
        let vault = record.needed(&self.names, "keyVaultName")?;
        secret::keep(self.account, &self.names, vault).await?;
        self.publish().stream(&package)?;
        match self.complete() {
            Some(run) => run.stream(self.root),
            None => Ok(()),
        }
    }

    async fn report(&self) -> Result<Report, Failure> {
        let record = deployed(self.account, &self.names).await?;
        let output = |name: &str| record.output(name).unwrap_or("unknown");
        Ok(Report {
            api: output("apiUrl").to_owned(),
            fact: format!("mails come from {}", output("mailSender")),
            next: None,
        })
    }
}
