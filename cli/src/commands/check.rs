//! `wm check`

use std::{fs, path::PathBuf};

use clap::Args;
use wm_core::selection::BackendSelection;

use super::init::SELECTION_FILE;
use crate::{
    failure::Failure,
    output::{line, notice},
};

const EXAMPLES: &str = "\
Examples:
  wm check
  wm check backend.js

Prints one line per problem: missing and unknown fields, names that the provider does not accept,
and values that look like secrets. The line does not repeat such a value.";

/// Check a backend selection
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// The file to check
    #[arg(value_name = "FILE", default_value = SELECTION_FILE)]
    file: PathBuf,
}

impl Check {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let file = self.file.display();
        let text = fs::read_to_string(&self.file).map_err(|error| {
            Failure::because(
                format!("`{file}` cannot be read; write one with `wm init`"),
                error,
            )
        })?;
        match BackendSelection::read(&text) {
            Ok(selection) => line(format!(
                "`{file}` is valid: {} in `{}`",
                selection.provider.entry().label,
                selection.environment
            )),
            Err(errors) => {
                for error in &errors {
                    notice(format!("error: `{}` {}", error.field, error.message));
                }
                Err(Failure::reported(1))
            }
        }
    }
}
