//! The interface of a cloud for the commands that set it up and deploy to it.

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
    deployment::{BaseName, Deployment, Limits},
    plan::Plan,
    site::Store,
    tags::{Reserved, Tags},
    tools::{Run, Tool},
};

/// A cloud account, opened with the credentials of the operator.
///
/// Every associated constant and function serves either all four commands or exactly one of them,
/// in this order: shared, `setup`, `deploy`, `deploy-site`, `redrive`.
pub trait Cloud: Sized + Debug + 'static {
    /// The provider. Its name is the argument of `wm setup`.
    const PROVIDER: Provider;
    /// The texts of `--help` and of results that differ between clouds.
    const TEXTS: Texts;
    /// The keys of tags that the cloud reserves.
    const RESERVED_TAGS: Reserved;
    /// The maximum lengths of prefix and environment.
    const LIMITS: Limits;
    /// The flags for the target of a deployment, such as its region.
    type TargetFlags: Args + Debug;
    /// The flags that name the database and the object store.
    type Data: Args + Debug + Default;
    /// The names of all resources of a deployment.
    type Names: AsRef<BaseName>;

    /// The region or location that the flags name.
    fn location(target: &Self::TargetFlags) -> Option<&str>;

    /// The flags that a backend selection can fill, each with its path in the selection.
    fn selectable<'flags>(
        target: &'flags mut Self::TargetFlags,
        data: &'flags mut Self::Data,
    ) -> Vec<(&'static str, &'flags mut Option<String>)>;

    /// The names of a deployment.
    ///
    /// # Errors
    /// If a name is not valid for its service.
    fn names(deployment: &Deployment<Self>, data: &Self::Data) -> Result<Self::Names, Failure>;

    /// Opens the account of the credentials and these flags.
    ///
    /// # Errors
    /// If there are no valid credentials, or the flags do not identify an account.
    fn open(target: &Self::TargetFlags) -> impl Future<Output = Result<Self, Failure>>;

    /// The account as text, such as "the subscription `…`".
    fn title(&self) -> String;

    /// The flags of `setup` that only this cloud has.
    type SetupOptions: Args + Debug;
    /// The resources that `setup` creates or hardens.
    type Setup: Setup;

    /// The wanted state of the resources.
    fn setup(&self, request: SetupRequest<'_, Self>) -> Self::Setup;

    /// The name of the database. The functions are deployed beside it.
    fn database(names: &Self::Names) -> &str;

    /// The template of the surface, as a path from the root of the repository.
    const TEMPLATE: &'static str;
    /// The flags that become parameters of the template.
    type Settings: Args + Debug;
    /// The tools found for building the functions.
    type Tools;
    /// A deployment that can be shown and run.
    type Rollout<'run>: Rollout
    where
        Self: 'run;

    /// Looks for the tools that build and deploy. If a plan is possible without them, prints a
    /// notice of the missing tools.
    ///
    /// # Errors
    /// If a required tool is missing.
    fn check_tools(no_build: bool, plan: bool) -> Result<Self::Tools, Failure>;

    /// Reads the deployed state and prepares a deployment over it. Changes nothing.
    ///
    /// # Errors
    /// If a service does not answer, or the flags do not fit the deployed state.
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
    /// The flags of `deploy-site` that only this cloud has.
    type SiteOptions: Args + Debug;
    /// The object store that serves the site.
    type Site: Store;

    /// The names of a deployment and of its site.
    ///
    /// # Errors
    /// If a name is not valid for its service, or the site would use the private object store.
    fn site_names(
        deployment: &Deployment<Self>,
        options: &Self::SiteOptions,
    ) -> Result<Self::Names, Failure>;

    /// The current site, and the run that deploys its template. Changes nothing.
    ///
    /// # Errors
    /// If the surface is not deployed, or the site would use an object store of another purpose.
    fn site(
        &self,
        names: &Self::Names,
        options: &Self::SiteOptions,
        tags: &Tags,
        root: &Path,
    ) -> impl Future<Output = Result<(Self::Site, Run), Failure>>;

    /// The site after its template was deployed and it accepts files. `None` if the site from
    /// before the deployment is still valid.
    ///
    /// # Errors
    /// If it does not accept files.
    fn deployed_site(
        &self,
        names: &Self::Names,
    ) -> impl Future<Output = Result<Option<Self::Site>, Failure>>;

    /// The URL of the deployed site, without a trailing slash. `None` if the deployment does not
    /// have it.
    ///
    /// # Errors
    /// If the service does not answer.
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
    /// If there is no deployment, or the service does not answer.
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
    pub help: CommandHelp,
    pub setup: CommandHelp,
    /// Help of `setup --selection`.
    pub selection: &'static str,
    /// The environment variable for `--tags`.
    pub tags_variable: &'static str,
    /// Help of `setup --tags`.
    pub setup_tags: &'static str,
    pub deploy: CommandHelp,
    /// Help of `deploy --plan`.
    pub deploy_plan: &'static str,
    pub deploy_site: CommandHelp,
    /// Help of `deploy-site --tags`.
    pub site_tags: &'static str,
    pub redrive: CommandHelp,
    /// The store of dead letters: "queues" or "container".
    pub dead_letters_in: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub struct CommandHelp {
    /// The summary, in one line.
    pub about: &'static str,
    /// Examples and explanations after the flags.
    pub after: &'static str,
}

/// The parameters of `setup`.
#[derive(Debug, Clone)]
pub struct SetupRequest<'run, C: Cloud> {
    /// The names of the resources.
    pub names: &'run C::Names,
    /// The flags of this cloud.
    pub options: &'run C::SetupOptions,
    /// The origins whose pages may use signed URLs. If empty, those of an existing resource stay.
    pub origins: Vec<String>,
    /// The tags to set, in addition to existing tags.
    pub tags: Tags,
}

/// Resources that are compared with their wanted state and changed step by step.
///
/// Every run describes the resources first, so an interrupted run continues where it stopped.
/// Correct settings are not written, and settings of others stay.
pub trait Setup {
    /// One change to one resource. Its text describes the change.
    type Step: Display;

    /// Describes every resource and lists the steps. Changes nothing.
    ///
    /// # Errors
    /// If a service does not answer, and for every difference that no step can correct.
    fn plan(&self) -> impl Future<Output = Result<Plan<Self::Step>, Failure>>;

    /// Runs one step. `progress` receives the reason for waiting.
    ///
    /// # Errors
    /// If a service refuses. The next plan starts from the current state.
    fn apply(
        &self,
        step: &Self::Step,
        progress: impl Fn(&str),
    ) -> impl Future<Output = Result<(), Failure>>;
}

/// A deployment of the surface that can be shown and run.
pub trait Rollout {
    /// The deployed object as text, such as "the stack `…`".
    fn title(&self) -> String;

    /// All steps in order, as text.
    fn steps(&self) -> Vec<String>;

    /// Prints the changes of the deployment, if the cloud can predict them.
    ///
    /// # Errors
    /// If the tool that predicts them fails.
    fn preview(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Runs the steps.
    ///
    /// # Errors
    /// If a step fails. Another run continues from there.
    fn carry_out(&self) -> impl Future<Output = Result<(), Failure>>;

    /// The result of the deployment.
    ///
    /// # Errors
    /// If the deployment has no outputs.
    fn report(&self) -> impl Future<Output = Result<Report, Failure>>;
}

/// The result of a deployment.
#[derive(Debug)]
pub struct Report {
    /// The URL of the API.
    pub api: String,
    /// A further fact, as one line.
    pub fact: String,
    /// The next manual step of the operator, if any.
    pub next: Option<&'static str>,
}
