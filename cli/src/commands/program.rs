//! `wm setup`, `deploy`, `deploy-site` and `redrive`: what the programs of the clouds do.

use std::{env, ffi::OsString, os::unix::process::CommandExt, path::PathBuf, process::Command};

use clap::{self, Args, ValueEnum};

use crate::{failure::Failure, output::line};

/// A cloud with a program of its own.
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

    /// The package that the program is built from.
    fn package(self) -> &'static str {
        match self {
            Self::Aws => "wm-aws-deploy",
            Self::Azure => "wm-azure-deploy",
        }
    }
}

/// What is forwarded.
#[derive(Debug, Args)]
struct Forwarded {
    /// Which cloud
    #[arg(required_unless_present = "help")]
    cloud: Option<Cloud>,
    /// Print help: this one, or, behind a cloud, that of its program
    #[arg(short, long)]
    help: bool,
    /// What its program is told besides; `wm setup aws --help` says what it takes
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
        #[command(after_help = concat!("Examples:\n  ", $example, "\n\nRuns `wm-aws` or `wm-azure`, found beside `wm` or on the PATH."))]
        pub(crate) struct $name {
            #[command(flatten)]
            handed: Forwarded,
        }

        impl $name {
            /// Runs it; `wm` is the whole command, whose help it may have to print.
            pub(crate) fn run(self, wm: clap::Command) -> Result<(), Failure> {
                hand_on(wm, $verb, self.handed)
            }
        }
    )*};
}

forwarded! {
    /// Set a cloud up: what the surface needs there, by name
    Setup = "setup", "wm setup aws --environment dev";
    /// Deploy the functions to a cloud
    Deploy = "deploy", "wm deploy azure";
    /// Deploy the console to a cloud
    DeploySite = "deploy-site", "wm deploy-site aws";
    /// Send what failed again: events and mails from the dead-letter queue
    Redrive = "redrive", "wm redrive aws";
}

fn hand_on(wm: clap::Command, verb: &str, handed: Forwarded) -> Result<(), Failure> {
    let Forwarded {
        cloud,
        help,
        arguments,
    } = handed;
    let Some(cloud) = cloud else {
        return print_help(wm, verb);
    };
    let (name, package) = (cloud.program(), cloud.package());
    let missing = || {
        Failure::new(format!(
            "`{name}` is not there: build it with `cargo build --release -p {package}` and try again"
        ))
    };
    let program = find(name).ok_or_else(missing)?;
    // Becomes the program, so that signals and the exit code are its own.
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

/// The command's own help, which the parser would also print where another program's is meant.
fn print_help(mut wm: clap::Command, verb: &str) -> Result<(), Failure> {
    // So that the usage begins with `wm`.
    wm.build();
    let command = wm.find_subcommand_mut(verb);
    let help = command.map(|command| command.render_help().to_string());
    line(help.unwrap_or_default().trim_end())
}

/// The program beside this one, else on the path.
fn find(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.to_owned()));
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = beside.into_iter().chain(env::split_paths(&path));
    places.find_map(|place| Some(place.join(&file)).filter(|program| program.is_file()))
}
