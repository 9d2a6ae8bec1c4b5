//! `wm download`

use std::path::PathBuf;

use clap::Args;
use wm_client::DownloadRequest;
use wm_core::value::{ArtifactId, ProjectId};

use crate::{
    connection::Connection, explain::Explained, failure::Failure, output::line, transfer::transfer,
};

const EXAMPLES: &str = "\
Examples:
  wm download --project prj_… --artifact art_…
  wm download --project prj_… --artifact art_… --version 2 --out old-report.pdf

Prints the path of the file. The file gets its final name when it is complete and its SHA-256
matches. After an interruption, run the same command again to download the rest.";

/// Download a version of a document
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, disable_version_flag = true)]
pub(crate) struct Download {
    /// The id of the project
    #[arg(long, value_name = "ID")]
    project: ProjectId,
    /// The id of the document
    #[arg(long, value_name = "ID")]
    artifact: ArtifactId,
    /// The version number. Default: the newest version
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
    /// The file to write. Default: the name of the version, in the current directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Download {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let client = self.connection.client()?;
        let request = DownloadRequest {
            project: self.project,
            artifact: self.artifact,
            version: self.version,
            out: self.out,
            overwrite: self.force,
        };
        let out = transfer(&client).download(&request).await.explained()?;
        line(out.display().to_string())
    }
}
