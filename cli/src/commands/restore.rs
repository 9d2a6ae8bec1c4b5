//! `wm restore`

use std::path::PathBuf;

use clap::Args;

use crate::{failure::Failure, issuer::DATA, output::line};

const EXAMPLES: &str = "\
Examples:
  wm restore /backups/2026-11-23
  wm restore /backups/2026-11-23 --data /srv/wm

The restored node is another surface than the one the backup was taken from, so that the two
histories are never mistaken for one.";

/// Restore a backup to a data directory
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// The directory that `wm backup` wrote
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// The data directory: it must be empty or not exist yet
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
}

impl Restore {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let surface = wm_local::backup::restore(&self.backup, &self.data)
            .map_err(|error| Failure::of(&error))?;
        line(format!(
            "`{}` contains the restored data, as surface `{surface}`",
            self.data.display()
        ))
    }
}
