//! `deploy-site`

use std::path::PathBuf;

use clap::Args;
use wm_terminal::{
    failure::Failure,
    output::{line, notice},
};

use super::tags;
use crate::{
    cloud::Cloud,
    deployment::Deployment,
    site::{self, Store},
    tags::ChosenTags,
    tools::{require, root},
};

/// The folder of the built console, relative to the repository.
const BUILT: &str = "web/dist";

#[derive(Debug, Args)]
#[command(about = C::TEXTS.deploy_site.about, after_help = C::TEXTS.deploy_site.after)]
pub struct DeploySite<C: Cloud> {
    #[command(flatten)]
    deployment: Deployment<C>,
    /// The folder of the built site. Default: that of the console
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    #[command(flatten)]
    options: C::SiteOptions,
    #[arg(long, env = C::TEXTS.tags_variable, default_value = "", hide_default_value = true)]
    #[arg(value_parser = tags::<C>, help = C::TEXTS.site_tags)]
    tags: ChosenTags,
    /// The repository. Default: the one that contains the current directory
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// Show the changes without making them
    #[arg(long)]
    plan: bool,
}

impl<C: Cloud> DeploySite<C> {
    /// Deploys the template of the site, uploads changed files and deletes files that are not part
    /// of the site.
    ///
    /// # Errors
    /// If a flag is invalid, the site contains private files, a tool is missing, or a step fails.
    pub async fn run(self) -> Result<(), Failure> {
        let root = root(self.repository.as_deref(), C::SITE_TEMPLATE)?;
        let names = C::site_names(&self.deployment, &self.options)?;
        let folder = self.from.clone().unwrap_or_else(|| root.join(BUILT));
        let files = site::read(&folder)?;
        require(&[C::DEPLOYER])?;
        let cloud = C::open(&self.deployment.target).await?;
        let tags = names.as_ref().tags(&self.tags);
        let (store, deploy) = cloud.site(&names, &self.options, &tags, &root).await?;
        // Before the template is deployed, because an object store with documents must not be
        // changed.
        let changes = site::compare(&store, &files).await?;
        line(format!("in {}, {}:", cloud.title(), store.title()))?;
        changes.show()?;
        if self.plan {
            line(format!("  {deploy}"))?;
            return line("nothing was changed");
        }
        deploy.stream(&root)?;
        let (store, changes) = match cloud.deployed_site(&names).await? {
            None => (store, changes),
            Some(store) => {
                let changes = site::compare(&store, &files).await?;
                (store, changes)
            }
        };
        site::apply(&store, &changes, |step| notice(step)).await?;
        let url = cloud.site_url(&names, &root).await?;
        let url = url.as_deref().unwrap_or("unknown");
        line("done")?;
        line(format!("  the site is at {url}"))?;
        let provider = C::PROVIDER;
        line(format!(
            "next: `wm deploy {provider} --origin {url}` allows its pages to call the API"
        ))
    }
}
