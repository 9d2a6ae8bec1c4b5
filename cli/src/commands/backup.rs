//! `wm backup`

use std::path::PathBuf;

use clap::Args;

use crate::{failure::Failure, issuer::DATA, output::line};

const EXAMPLES: &str = "\
Examples:
  wm backup /backups/2026-11-23
  wm backup /backups/2026-11-23 --data /srv/wm

The node can keep running during a backup. The copy is a consistent snapshot.";

/// Copy a data directory, with records and files, as a consistent snapshot
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backup {
    /// The directory for the copy. It must be empty or must not exist
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// The data directory of the node
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
}

impl Backup {
    pub(crate) fn run(self) -> Result<(), Failure> {
        wm_local::backup::backup(&self.data, &self.target).map_err(|error| Failure::of(&error))?;
        line(format!(
            "`{}` contains a backup of `{}`",
            self.target.display(),
            self.data.display()
        ))
    }
}
