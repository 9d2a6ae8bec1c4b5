//! `wm upload`

use std::path::{Path, PathBuf};

use clap::Args;
use wm_client::Destination;
use wm_core::value::{ArtifactId, MediaType, ProjectId};

use crate::{
    connection::Connection, explain::Explained, failure::Failure, output::line, transfer::transfer,
};

const EXAMPLES: &str = "\
Examples:
  wm upload report.pdf figures/*.png --project prj_…
  wm upload report.pdf --project prj_… --artifact art_…     a new version
  wm upload report.pdf --project prj_… --email ana@example.com

Prints one line per file: id of the document, version, name. Files over 64 MiB are uploaded in
parts. After an interruption, run the same command again to upload the missing parts.";

/// Upload files to a project
///
/// The command sends the bytes to the object store of the surface at signed URLs. The surface
/// verifies them. Memory use does not depend on the size of a file.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Upload {
    /// The files to upload
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The id of the project
    #[arg(long, value_name = "ID")]
    project: ProjectId,
    /// Add a version to the document with this id instead of creating one. Allows one file only
    #[arg(long, value_name = "ID")]
    artifact: Option<ArtifactId>,
    /// The media type of the files. Default: the type that matches the extension
    #[arg(long, value_name = "TYPE")]
    media_type: Option<MediaType>,
    #[command(flatten)]
    connection: Connection,
}

impl Upload {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        if self.artifact.is_some() && self.files.len() > 1 {
            return Err(Failure::usage(
                "`--artifact` allows one file only; without it, each file becomes a document",
            ));
        }
        let destinations: Vec<_> = self
            .files
            .iter()
            .map(|file| self.destination(file))
            .collect::<Result<_, _>>()?;
        let client = self.connection.client()?;
        let transfer = transfer(&client);
        for (file, destination) in self.files.iter().zip(&destinations) {
            let uploaded = transfer.upload(file, destination).await.explained()?;
            let (artifact, version) = (uploaded.artifact, uploaded.version);
            line(format!("{artifact}  {version}  {}", destination.name))?;
        }
        Ok(())
    }

    fn destination(&self, file: &Path) -> Result<Destination, Failure> {
        let mut destination = Destination::of(file, self.project).explained()?;
        destination.artifact = self.artifact;
        if let Some(media_type) = &self.media_type {
            destination.media_type.clone_from(media_type);
        }
        Ok(destination)
    }
}
