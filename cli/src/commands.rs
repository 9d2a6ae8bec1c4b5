//! The commands, one file each.

mod backup;
mod check;
mod demo;
mod download;
mod health;
mod init;
mod journal;
mod program;
mod restore;
mod serve;
mod session;
mod token;
mod upload;

use clap::{CommandFactory, Parser, Subcommand};
use wm_terminal::{failure::Failure, interrupt::interruptible};

const BEGIN: &str = "\
Start here:
  wm demo                                      run the main job once, on a temporary node
  wm serve                                     run a node on this machine
  export WM_TOKEN=$(wm token --email ana@example.com)
  wm session                                   print your profile and projects

Exit codes: 0 done, 1 failed, 2 usage error.";

/// A backend for workspaces: accounts, people, teams, projects, and their documents
#[derive(Debug, Parser)]
#[command(name = "wm", version, after_help = BEGIN, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Token(token::Token),
    Demo(demo::Demo),
    Upload(upload::Upload),
    Download(download::Download),
    Session(session::Session),
    Health(health::Health),
    Journal(journal::Journal),
    Init(init::Init),
    Check(check::Check),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Setup(program::Setup),
    Deploy(program::Deploy),
    DeploySite(program::DeploySite),
    Redrive(program::Redrive),
}

impl Arguments {
    /// Runs the command until it is done or interrupted.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.command {
            // `serve` and `demo` handle Ctrl-C themselves, because they clean up.
            Command::Serve(command) => command.run().await,
            Command::Demo(command) => command.run().await,
            Command::Token(command) => command.run(),
            Command::Init(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Backup(command) => command.run(),
            Command::Restore(command) => command.run(),
            Command::Setup(command) => command.run(Self::command()),
            Command::Deploy(command) => command.run(Self::command()),
            Command::DeploySite(command) => command.run(Self::command()),
            Command::Redrive(command) => command.run(Self::command()),
            Command::Upload(command) => interruptible(command.run()).await,
            Command::Download(command) => interruptible(command.run()).await,
            Command::Session(command) => interruptible(command.run()).await,
            Command::Health(command) => interruptible(command.run()).await,
            Command::Journal(command) => interruptible(command.run()).await,
        }
    }
}
