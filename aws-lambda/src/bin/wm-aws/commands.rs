//! The commands, one file each.

mod deploy;
mod deploy_site;
mod redrive;
mod setup;

use clap::{Parser, Subcommand};
use wm_aws::setup::RESERVED_TAGS;
use wm_terminal::{
    interrupt::interruptible,
    tags::{ChosenTags, WrongTags},
};

use crate::failure::Failure;

const BEGIN: &str = "\
In this order:
  wm setup aws --plan                          see what would be made or changed
  wm setup aws                                 make table and bucket, or harden what is there
  wm deploy aws --mail-from docs@example.com   build the functions and deploy everything
  wm deploy-site aws                           put the console beside it

Credentials, profiles and endpoints are found as by every tool of AWS.
Exit codes: 0 done, 1 failed, 2 asked for wrongly.";

/// What `wm` does on AWS
#[derive(Debug, Parser)]
#[command(name = "wm-aws", version, after_help = BEGIN, max_term_width = 100)]
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
