//! The commands, one file each.

mod deploy;
mod deploy_site;
mod redrive;
mod setup;

use clap::{Parser, Subcommand};
use wm_azure::setup::RESERVED_TAGS;
use wm_terminal::{
    interrupt::interruptible,
    tags::{ChosenTags, WrongTags},
};

use crate::failure::Failure;

const BEGIN: &str = "\
In this order:
  az login                                     sign in, once
  wm setup azure --plan                        see what would be made or changed
  wm setup azure                               make storage and database, or harden what is there
  wm deploy azure --help                       what the first deployment has to be told
  wm deploy azure …                            build the functions and deploy everything
  wm deploy-site azure                         put the console beside it

Whoever is signed in with `az` does it all; no key is asked for or kept.
Exit codes: 0 done, 1 failed, 2 asked for wrongly.";

/// What `wm` does on Azure
#[derive(Debug, Parser)]
#[command(name = "wm-azure", version, after_help = BEGIN, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Setup(setup::Setup),
    Deploy(deploy::Deploy),
    DeploySite(deploy_site::DeploySite),
    Redrive(redrive::Redrive),
}

impl Arguments {
    /// Runs the command until it is done or interrupted.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Setup(command) => interruptible(command.run()).await,
            Command::Redrive(command) => interruptible(command.run()).await,
            // These run other programs, which Ctrl-C ends with them.
            Command::Deploy(command) => command.run().await,
            Command::DeploySite(command) => command.run().await,
        }
    }
}

/// Tags in a flag or a variable.
fn tags(text: &str) -> Result<ChosenTags, WrongTags> {
    ChosenTags::parse(text, RESERVED_TAGS)
}
