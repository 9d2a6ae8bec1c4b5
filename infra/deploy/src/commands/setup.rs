//! `setup`

use std::path::PathBuf;

use clap::Args;
use wm_terminal::{
    failure::Failure,
    output::{line, notice},
};

use super::tags;
use crate::{
    cloud::{Cloud, Setup as _, SetupRequest},
    deployment::Deployment,
    origin::Origin,
    selection,
    tags::ChosenTags,
};

#[derive(Debug, Args)]
#[command(about = C::TEXTS.setup.about, after_help = C::TEXTS.setup.after)]
pub struct Setup<C: Cloud> {
    #[command(flatten)]
    deployment: Deployment<C>,
    #[command(flatten)]
    data: C::Data,
    #[arg(long, value_name = "FILE", conflicts_with = "environment", help = C::TEXTS.selection)]
    selection: Option<PathBuf>,
    #[command(flatten)]
    options: C::SetupOptions,
    /// An origin whose pages may use signed URLs. Can be repeated
    #[arg(long = "origin", value_name = "URL")]
    origins: Vec<Origin>,
    #[arg(long, env = C::TEXTS.tags_variable, default_value = "", hide_default_value = true)]
    #[arg(value_parser = tags::<C>, help = C::TEXTS.setup_tags)]
    tags: ChosenTags,
    /// Show the changes without making them
    #[arg(long)]
    plan: bool,
}

impl<C: Cloud> Setup<C> {
    /// Shows the plan and runs it.
    ///
    /// # Errors
    /// If a flag is invalid, the plan is impossible, or a service refuses.
    pub async fn run(mut self) -> Result<(), Failure> {
        self.select()?;
        let names = C::names(&self.deployment, &self.data)?;
        let cloud = C::open(&self.deployment.target).await?;
        let setup = cloud.setup(SetupRequest {
            names: &names,
            options: &self.options,
            origins: self.origins.iter().map(ToString::to_string).collect(),
            tags: names.as_ref().tags(&self.tags),
        });
        let plan = setup.plan().await?;
        line(format!("in {}:", cloud.title()))?;
        for resource in &plan.resources {
            line(resource.to_string())?;
        }
        let (created, changed) = plan.count();
        if created + changed == 0 {
            return line("no changes");
        }
        if self.plan {
            return line(format!(
                "{created} to create, {changed} to change; nothing was changed"
            ));
        }
        for step in plan.steps() {
            notice(step.to_string());
            setup.apply(step, |waiting| notice(waiting)).await?;
        }
        line(format!("done: {created} created, {changed} changed"))?;
        let (provider, database) = (C::PROVIDER, C::database(&names));
        line(format!(
            "next: `wm deploy {provider}` with the same flags deploys the functions for `{database}`"
        ))
    }

    /// Takes names from the selection that neither a flag nor a variable sets.
    fn select(&mut self) -> Result<(), Failure> {
        let Some(file) = &self.selection else {
            return Ok(());
        };
        let selection = selection::read(file, C::PROVIDER)?;
        for (path, flag) in C::selectable(&mut self.deployment.target, &mut self.data) {
            selection::fill(flag, &selection, path);
        }
        self.deployment.environment = selection.environment;
        Ok(())
    }
}
