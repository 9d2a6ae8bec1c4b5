//! `wm setup`, `deploy`, `deploy-site` and `redrive`: forwarding to the programs of the clouds.

use std::{env, ffi::OsString, os::unix::process::CommandExt, path::PathBuf, process::Command};

use clap::{self, Args, ValueEnum};

use crate::{failure::Failure, output::line};

/// A cloud with a deployment program.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Cloud {
    /// Amazon Web Services
    Aws,
    /// Microsoft Azure
    Azure,
}

impl Cloud {
    fn program(self) -> &'static str {
        match self {
            Self::Aws => "wm-aws",
            Self::Azure => "wm-azure",
        }
    }

    /// The package of the program.
    fn package(self) -> &'static str {
        match self {
            Self::Aws => "wm-aws-deploy",
            Self::Azure => "wm-azure-deploy",
        }
    }
}

#[derive(Debug, Args)]
struct Forwarded {
    /// The cloud whose program runs
    #[arg(required_unless_present = "help")]
    cloud: Option<Cloud>,
    /// Print help. With a cloud, print the help of its program
    #[arg(short, long)]
    help: bool,
    /// Arguments of the program. `wm setup aws --help` lists them
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENT"
    )]
    arguments: Vec<OsString>,
}

macro_rules! forwarded {
    ($($(#[$doc:meta])* $name:ident = $verb:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Args)]
        #[command(disable_help_flag = true)]
        #[command(after_help = concat!("Examples:\n  ", $example, "\n\nRuns `wm-aws` or `wm-azure`, from the directory of `wm` or from the PATH."))]
        pub(crate) struct $name {
            #[command(flatten)]
            forwarded: Forwarded,
        }

        impl $name {
            /// Runs the program. `wm` is the whole command, for printing its help.
            pub(crate) fn run(self, wm: clap::Command) -> Result<(), Failure> {
                forward(wm, $verb, self.forwarded)
            }
        }
    )*};
}

forwarded! {
    /// Set up a cloud with the resources of the selection
    Setup = "setup", "wm setup aws --environment dev";
    /// Deploy the functions to a cloud
    Deploy = "deploy", "wm deploy azure";
    /// Deploy the console to a cloud
    DeploySite = "deploy-site", "wm deploy-site aws";
    /// Send failed events and mails again from the dead-letter queue
    Redrive = "redrive", "wm redrive aws";
}

fn forward(wm: clap::Command, verb: &str, forwarded: Forwarded) -> Result<(), Failure> {
    let Forwarded {
        cloud,
        help,
        arguments,
    } = forwarded;
    let Some(cloud) = cloud else {
        return print_help(wm, verb);
    };
    let (name, package) = (cloud.program(), cloud.package());
    let missing = || {
        Failure::new(format!(
            "`{name}` was not found: build it with `cargo build --release -p {package}` and try again"
        ))
    };
    let program = find(name).ok_or_else(missing)?;
    // Replaces this process, so that signals and the exit code are those of the program.
    let error = Command::new(&program)
        .arg(verb)
        .args(help.then_some("--help"))
        .args(arguments)
        .exec();
    let program = program.display();
    Err(Failure::because(
        format!("`{program}` cannot be run; build it again"),
        error,
    ))
}

/// Prints the help of the command itself. The parser would also print it where the help of the
/// program is meant.
fn print_help(mut wm: clap::Command, verb: &str) -> Result<(), Failure> {
    // Makes the usage line begin with `wm`.
    wm.build();
    let command = wm.find_subcommand_mut(verb);
    let help = command.map(|command| command.render_help().to_string());
    line(help.unwrap_or_default().trim_end())
}

/// Finds the program in the directory of this program, then on the PATH.
fn find(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe()
        .ok()
        .and_then(|this| Some(this.parent()?.to_owned()));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = beside.into_iter().chain(env::split_paths(&path));
    places.find_map(|place| Some(place.join(&file)).filter(|program| program.is_file()))
}
