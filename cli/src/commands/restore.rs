//! `wm restore`

use std::path::PathBuf;

use clap::Args;

use crate::{failure::Failure, issuer::DATA, output::line};

const EXAMPLES: &str = "\
Examples:
  wm restore /backups/2026-11-23
  wm restore /backups/2026-11-23 --data /srv/wm

The restored node is a new surface with a new surface id. So its history cannot be confused with
that of the surface of the backup.";

/// Restore a backup to a data directory
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// The directory that `wm backup` wrote
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// The data directory. It must be empty or must not exist
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
