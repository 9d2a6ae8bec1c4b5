//! `wm init`

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use tempfile::Builder;
use wm_core::{
    catalog::{DEFAULT_ENVIRONMENT, DEFAULT_PREFIX, Provider},
    selection::BackendSelection,
};
use wm_terminal::flags::listed;

use crate::{failure::Failure, output::line};

/// The path from which the console reads the selection.
pub(super) const SELECTION_FILE: &str = "web/src/config/backend.js";

const EXAMPLES: &str = "\
Examples:
  wm init
  wm init --provider aws --region eu-central-1 --environment prod
  wm init --provider azure --location westeurope --prefix acme-documents --out backend.js

The file contains names and no secret, so you can commit it. `wm check` checks it.";

/// Write the backend selection: the names of the services that a surface uses
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Init {
    /// The provider of the surface: `local`, `aws` or `azure`
    #[arg(long, default_value_t = Provider::Local)]
    provider: Provider,
    /// The environment, such as `dev` or `prod`
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ENVIRONMENT)]
    environment: String,
    /// The prefix of every name
    #[arg(long, default_value = DEFAULT_PREFIX)]
    prefix: String,
    /// The region, on aws
    #[arg(long)]
    region: Option<String>,
    /// The location, on azure
    #[arg(long, conflicts_with = "region")]
    location: Option<String>,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = SELECTION_FILE)]
    out: PathBuf,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

impl Init {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let location = self.location()?;
        let selection =
            BackendSelection::new(self.provider, &self.prefix, &self.environment, location)
                .map_err(|errors| listed(&errors))?;
        write(&self.out, &selection.module(), self.force)?;
        line(format!("wrote `{}`", self.out.display()))
    }

    /// The region or location, depending on the provider.
    fn location(&self) -> Result<Option<&str>, Failure> {
        let wrong = |given, instead| {
            let provider = self.provider;
            Failure::usage(format!("`{provider}` has no `{given}`; {instead}"))
        };
        match (self.provider, &self.region, &self.location) {
            (Provider::Aws, _, Some(_)) => Err(wrong("--location", "say `--region`")),
            (Provider::Azure, Some(_), _) => Err(wrong("--region", "say `--location`")),
            (Provider::Local, Some(_), _) => Err(wrong("--region", "remove it")),
            (Provider::Local, _, Some(_)) => Err(wrong("--location", "remove it")),
            (_, region, location) => Ok(region.as_deref().or(location.as_deref())),
        }
    }
}

/// Writes a file atomically.
fn write(out: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let fault = |error| {
        Failure::because(
            format!(
                "`{}` cannot be written; choose another file with `--out`",
                out.display()
            ),
            error,
        )
    };
    let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(fault)?;
    let mut file = Builder::new()
        // The umask reduces the mode, as for any other file of the repository.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(directory)
        .map_err(fault)?;
    file.write_all(text.as_bytes()).map_err(fault)?;
    file.as_file().sync_all().map_err(fault)?;
    let written = if force {
        file.persist(out)
    } else {
        file.persist_noclobber(out)
    };
    written.map(drop).map_err(|error| match error.error.kind() {
        ErrorKind::AlreadyExists => Failure::new(format!(
            "`{}` exists already; overwrite it with `--force`, or choose another file with `--out`",
            out.display()
        )),
        _ => fault(error.error),
    })
}
