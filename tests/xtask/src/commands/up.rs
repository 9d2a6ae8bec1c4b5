//! The command `cargo xtask up`.

use std::{os::unix::process::CommandExt, process::Command};

use clap::{Args, ValueEnum};
use wm_test_results::PROGRAMS;

use crate::{
    checkout::Checkout,
    failure::Failure,
    output::notice,
    run::{cargo, not_started},
};

const EXAMPLES: &str = "\
Examples:
  cargo xtask up local
  cargo xtask up all                three surfaces at once, each with its own URLs

Prints the URL of each surface, and commands to paste that get a token for an e-mail address and
show mails and events. Ctrl-C stops all surfaces and deletes their data. The first start builds the
programs in release mode. For `aws` and `azure` it also installs the emulators into .tools. Both take
minutes.";

/// Serve a surface and its emulators on loopback for your own client
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Up {
    /// The surface to serve
    surface: Surface,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Surface {
    /// A node over SQLite and a directory
    Local,
    /// The Lambda functions
    Aws,
    /// The custom handler of Azure Functions
    Azure,
    /// All three surfaces
    All,
}

impl Surface {
    fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::All => "all",
        }
    }

    /// The packages of the programs that the surface consists of. Each is built alone, as for a
    /// deployment: a build of the workspace would unify the features of all packages, so the
    /// programs would contain code of tests.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Local => &["wm"],
            Self::Aws => &["wm-aws"],
            Self::Azure => &["wm-azure", "wm-cosmos-emulator"],
            Self::All => &["wm", "wm-aws", "wm-azure", "wm-cosmos-emulator"],
        }
    }
}

impl Up {
    /// Builds the binaries and replaces this process by the server, so that only the server
    /// receives Ctrl-C.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let checkout = Checkout::find(None)?;
        let packages = self.surface.packages().iter();
        let programs = packages.map(|package| vec!["-p", package]);
        let server = vec!["-p", "wm-tests", "--bin", "up"];
        for selection in programs.chain([server]) {
            let build =
                cargo(&[]).with(["build", "--quiet", "--release", "--target-dir", "target"]);
            let build = build.with(selection);
            notice(build.to_string());
            build.stream(checkout.root())?;
        }
        let programs = checkout.root().join("target/release");
        let program = programs.join("up");
        let mut command = Command::new(&program);
        command.arg(self.surface.as_str());
        command.env(PROGRAMS, programs);
        command.current_dir(checkout.root());
        Err(not_started(&program.display().to_string(), command.exec()))
    }
}
