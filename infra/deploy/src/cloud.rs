//! What a cloud provides so that the commands can set it up and deploy to it.

use std::{
    fmt::{Debug, Display},
    path::Path,
};

use clap::Args;
use wm_core::catalog::Provider;
use wm_terminal::failure::Failure;

use crate::{
    commands::Deploy,
    dead_letters::DeadLetters,
    deployment::{Deployment, Limits, Stem},
    plan::Plan,
    site::Store,
    tags::{Reserved, Tags},
    tools::{Run, Tool},
};

/// A cloud account, opened with the credentials of the operator.
///
/// Every associated constant and function serves all four commands or exactly one of them, in this order:
/// shared, `setup`, `deploy`, `deploy-site`, `redrive`.
pub trait Cloud: Sized + Debug + 'static {
    /// Which provider it is. Its name is the argument of `wm setup`.
    const PROVIDER: Provider;
    /// The texts of `--help` and of results that differ between clouds.
    const TEXTS: Texts;
    /// The keys of tags that the cloud reserves.
    const RESERVED_TAGS: Reserved;
    /// How long a prefix and an environment may be.
    const LIMITS: Limits;
    /// The flags that say where a deployment is, such as its region.
    type Place: Args + Debug;
    /// The flags that name the database and the object store.
    type Data: Args + Debug + Default;
    /// The name of every resource of a deployment.
    type Names: AsRef<Stem>;

    /// The region or location that the flags name.
    fn location(place: &Self::Place) -> Option<&str>;

    /// The flags that a backend selection can fill, each with its path in the selection.
    fn selectable<'flags>(
        place: &'flags mut Self::Place,
        data: &'flags mut Self::Data,
    ) -> Vec<(&'static str, &'flags mut Option<String>)>;

    /// The names of a deployment.
    ///
    /// # Errors
    /// When a name is not valid for its service.
    fn names(deployment: &Deployment<Self>, data: &Self::Data) -> Result<Self::Names, Failure>;

    /// Opens the account that the credentials and these flags lead to.
    ///
    /// # Errors
    /// When there are no valid credentials, or the flags leave the account open.
    fn open(place: &Self::Place) -> impl Future<Output = Result<Self, Failure>>;

    /// The account in words, such as "the subscription `…`".
    fn title(&self) -> String;

    /// The flags that only `setup` of this cloud has.
    type SetupOptions: Args + Debug;
    /// The resources that `setup` creates or hardens.
    type Setup: Setup;

    /// The resources as they have to be.
    fn setup(&self, request: SetupRequest<'_, Self>) -> Self::Setup;

    /// The name of the database, next to which the functions are deployed.
    fn database(names: &Self::Names) -> &str;

    /// The template of the surface, as a path from the root of the repository.
    const TEMPLATE: &'static str;
    /// The flags that become parameters of the template.
    type Settings: Args + Debug;
    /// The tools that were found for building the functions.
    type Tools;
    /// A deployment that can be shown and carried out.
    type Rollout<'run>: Rollout
    where
        Self: 'run;

    /// Looks for the tools that build and deploy. A plan that can be made without them gets a notice of those
    /// that are missing.
    ///
    /// # Errors
    /// When a tool is missing that is needed.
    fn check_tools(no_build: bool, plan: bool) -> Result<Self::Tools, Failure>;

    /// Reads what is deployed and works out how to deploy over it. Changes nothing.
    ///
    /// # Errors
    /// When a service does not answer, or the flags do not fit what is deployed.
    fn prepare<'run>(
        &'run self,
        flags: &'run Deploy<Self>,
        names: Self::Names,
        root: &'run Path,
        tools: Self::Tools,
    ) -> impl Future<Output = Result<Self::Rollout<'run>, Failure>>;

    /// The template of the site, as a path from the root of the repository.
    const SITE_TEMPLATE: &'static str;
    /// The tool that deploys templates.
    const DEPLOYER: Tool;
    /// The flags that only `deploy-site` of this cloud has.
    type SiteOptions: Args + Debug;
    /// The object store that serves the site.
    type Site: Store;

    /// The names of a deployment and of its site.
    ///
    /// # Errors
    /// When a name is not valid for its service, or the site would be in the private object store.
    fn site_names(
        deployment: &Deployment<Self>,
        options: &Self::SiteOptions,
    ) -> Result<Self::Names, Failure>;

    /// The site as it is now, and the run that deploys its template. Changes nothing.
    ///
    /// # Errors
    /// When the surface is not deployed, or the site would be in an object store of something else.
    fn site(
        &self,
        names: &Self::Names,
        options: &Self::SiteOptions,
        tags: &Tags,
        root: &Path,
    ) -> impl Future<Output = Result<(Self::Site, Run), Failure>>;

    /// The site once its template is deployed and it accepts files; `None` where the site from before the
    /// deployment is still good.
    ///
    /// # Errors
    /// When it does not accept files.
    fn deployed_site(
        &self,
        names: &Self::Names,
    ) -> impl Future<Output = Result<Option<Self::Site>, Failure>>;

    /// The URL of the deployed site, without a trailing slash, as far as the deployment tells it.
    ///
    /// # Errors
    /// When the service does not answer.
    fn site_url(
        &self,
        names: &Self::Names,
        root: &Path,
    ) -> impl Future<Output = Result<Option<String>, Failure>>;

    /// The dead letters of one function.
    type DeadLetters: DeadLetters;

    /// The dead letters of these functions, in this order.
    ///
    /// # Errors
    /// When there is no deployment, or the service does not answer.
    fn dead_letters(
        &self,
        names: &Self::Names,
        functions: &[&str],
    ) -> impl Future<Output = Result<Vec<Self::DeadLetters>, Failure>>;
}

/// The texts that differ between clouds.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    /// The name of the program.
    pub program: &'static str,
    /// The program.
    pub help: CommandHelp,
    /// `setup`.
    pub setup: CommandHelp,
    /// `setup --selection`.
    pub selection: &'static str,
    /// The environment variable that `--tags` defaults to.
    pub tags_variable: &'static str,
    /// `setup --tags`.
    pub setup_tags: &'static str,
    /// `deploy`.
    pub deploy: CommandHelp,
    /// `deploy --plan`.
    pub deploy_plan: &'static str,
    /// `deploy-site`.
    pub deploy_site: CommandHelp,
    /// `deploy-site --tags`.
    pub site_tags: &'static str,
    /// `redrive`.
    pub redrive: CommandHelp,
    /// Where dead letters are: "queues" or "container".
    pub dead_letters_in: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub struct CommandHelp {
    /// What it does, in one line.
    pub about: &'static str,
    /// Examples and explanations after the flags.
    pub after: &'static str,
}

/// What `setup` was asked for.
#[derive(Debug, Clone)]
pub struct SetupRequest<'run, C: Cloud> {
    /// The names of the resources.
    pub names: &'run C::Names,
    /// The flags of this cloud.
    pub options: &'run C::SetupOptions,
    /// The origins whose pages may use signed URLs. If empty, those of an existing resource stay.
    pub origins: Vec<String>,
    /// The tags of the resources, next to tags that they have already.
    pub tags: Tags,
}

/// Resources that are compared with what they have to be and changed step by step.
///
/// Every run describes the resources first, so an interrupted run continues where it stopped. Settings that
/// are right are not written, and settings of others stay.
pub trait Setup {
    /// One change to one resource. Its text says what it does.
    type Step: Display;

    /// Describes every resource and lists the steps. Changes nothing.
    ///
    /// # Errors
    /// When a service does not answer, and for everything that no step can correct.
    fn plan(&self) -> impl Future<Output = Result<Plan<Self::Step>, Failure>>;

    /// Carries one step out; `progress` is told what is waited for.
    ///
    /// # Errors
    /// When a service refuses. The next plan starts from what was done.
    fn apply(
        &self,
        step: &Self::Step,
        progress: impl Fn(&str),
    ) -> impl Future<Output = Result<(), Failure>>;
}

/// A deployment of the surface that can be shown and carried out.
pub trait Rollout {
    /// What is deployed, such as "the stack `…`".
    fn title(&self) -> String;

    /// Every step in its order, as it is shown.
    fn steps(&self) -> Vec<String>;

    /// Prints what the deployment would change, where the cloud can tell.
    ///
    /// # Errors
    /// When the tool that tells it fails.
    fn preview(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Carries the steps out.
    ///
    /// # Errors
    /// When a step fails. Running it again continues from there.
    fn carry_out(&self) -> impl Future<Output = Result<(), Failure>>;

    /// What is deployed now.
    ///
    /// # Errors
    /// When the deployment does not tell its outputs.
    fn report(&self) -> impl Future<Output = Result<Report, Failure>>;
}

/// What a deployment says about itself.
#[derive(Debug)]
pub struct Report {
    /// The URL of the API.
    pub api: String,
    /// A second fact, as one line.
    pub fact: String,
    /// What the operator still has to do.
    pub next: Option<&'static str>,
}
