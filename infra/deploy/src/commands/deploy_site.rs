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

/// Where the console is built to, from the root of the repository.
const BUILT: &str = "web/dist";

/// The flags of `deploy-site`.
#[derive(Debug, Args)]
#[command(about = C::TEXTS.deploy_site.about, after_help = C::TEXTS.deploy_site.after)]
pub struct DeploySite<C: Cloud> {
    #[command(flatten)]
    deployment: Deployment<C>,
    /// The built site; else the console's
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    #[command(flatten)]
    options: C::SiteOptions,
    #[arg(long, env = C::TEXTS.tags_variable, default_value = "", hide_default_value = true)]
    #[arg(value_parser = tags::<C>, help = C::TEXTS.site_tags)]
    tags: ChosenTags,
    /// The repository, unless this is run inside it
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
    /// Say what would be done and change nothing
    #[arg(long)]
    plan: bool,
}

impl<C: Cloud> DeploySite<C> {
    /// Deploys the template of the site, then uploads what differs and removes what is not in the site.
    ///
    /// # Errors
    /// When the flags are wrong, the site holds private files, a tool is missing, or a step fails.
    pub async fn run(self) -> Result<(), Failure> {
        let root = root(self.repository.as_deref(), C::SITE_TEMPLATE)?;
        let names = C::site_names(&self.deployment, &self.options)?;
        let folder = self.from.clone().unwrap_or_else(|| root.join(BUILT));
        let files = site::read(&folder)?;
        require(&[C::DEPLOYER])?;
        let cloud = C::open(&self.deployment.place).await?;
        let tags = names.as_ref().tags(&self.tags);
        let (store, deploy) = cloud.site(&names, &self.options, &tags, &root).await?;
        // Before the template is deployed: an object store with documents has to stay as it is.
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
            "next: `wm deploy {provider} --origin {url}` lets its pages call the API"
        ))
    }
}
