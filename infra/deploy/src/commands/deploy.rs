//! `deploy`

use std::path::PathBuf;

use clap::Args;
use wm_core::catalog::Provider;
use wm_terminal::{failure::Failure, output::line};

use super::tags;
use crate::{
    cloud::{Cloud, Report, Rollout},
    deployment::Deployment,
    tags::ChosenTags,
    tools::root,
};

#[derive(Debug, Args)]
#[command(about = C::TEXTS.deploy.about, after_help = C::TEXTS.deploy.after)]
pub struct Deploy<C: Cloud> {
    #[command(flatten)]
    deployment: Deployment<C>,
    /// The names of the database and the object store.
    #[command(flatten)]
    pub data: C::Data,
    /// The parameters of the template.
    #[command(flatten)]
    pub settings: C::Settings,
    /// Additional tags for all resources: `key=value,key=value`. `application` and `environment`
    /// are always set
    #[arg(long, env = C::TEXTS.tags_variable, default_value = "", hide_default_value = true)]
    #[arg(value_parser = tags::<C>)]
    pub tags: ChosenTags,
    /// The repository. Default: the one that contains the current directory
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// Deploy the existing build
    #[arg(long)]
    pub no_build: bool,
    #[arg(long, help = C::TEXTS.deploy_plan)]
    plan: bool,
}

impl<C: Cloud> Deploy<C> {
    /// Shows the steps and runs them.
    ///
    /// # Errors
    /// If a flag is invalid, a tool is missing, or a step fails.
    pub async fn run(self) -> Result<(), Failure> {
        let root = root(self.repository.as_deref(), C::TEMPLATE)?;
        let names = C::names(&self.deployment, &self.data)?;
        names.as_ref().fit(C::LIMITS)?;
        let tools = C::check_tools(self.no_build, self.plan)?;
        let cloud = C::open(&self.deployment.target).await?;
        let rollout = cloud.prepare(&self, names, &root, tools).await?;
        line(format!("in {}, {}:", cloud.title(), rollout.title()))?;
        for step in rollout.steps() {
            line(format!("  {step}"))?;
        }
        if self.plan {
            rollout.preview()?;
            return line("no steps were run");
        }
        rollout.carry_out().await?;
        rollout.report().await?.show(C::PROVIDER)
    }
}

impl Report {
    /// Prints the URLs and the next step.
    fn show(&self, provider: Provider) -> Result<(), Failure> {
        let Self { api, fact, next } = self;
        line("done")?;
        line(format!("  the API answers at {api}"))?;
        line(format!("  {fact}"))?;
        line("next:")?;
        line(format!("  curl {api}/health/ready"))?;
        if let Some(next) = next {
            line(format!("  {next}"))?;
        }
        line(format!("  `wm deploy-site {provider}` deploys the console"))
    }
}
