//! `wm backup`

use std::path::PathBuf;

use clap::Args;

use crate::{failure::Failure, issuer::DATA, output::line};

const EXAMPLES: &str = "\
Examples:
  wm backup /backups/2026-11-23
  wm backup /backups/2026-11-23 --data /srv/wm

The node may go on working meanwhile: the copy is of one moment.";

/// Copy a data directory, records and files, as they are at one moment
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backup {
    /// Where the copy goes: a directory that is empty or not there
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// Where the node keeps everything
    #[arg(long, value_name = "DIR", default_value = DATA)]
    data: PathBuf,
}

impl Backup {
    pub(crate) fn run(self) -> Result<(), Failure> {
        wm_local::backup::backup(&self.data, &self.target).map_err(|error| Failure::of(&error))?;
        line(format!(
            "`{}` holds a copy of `{}`",
            self.target.display(),
            self.data.display()
        ))
    }
}
