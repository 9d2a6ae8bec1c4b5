//! `wm upload`

use std::path::{Path, PathBuf};

use clap::Args;
use wm_core::value::{ArtifactId, FileName, MediaType, ProjectId};

use crate::{
    connection::Connection,
    failure::Failure,
    output::line,
    transfer::upload::{Destination, upload},
};

const EXAMPLES: &str = "\
Examples:
  wm upload report.pdf figures/*.png --project prj_…
  wm upload report.pdf --project prj_… --artifact art_…     a new version
  wm upload report.pdf --project prj_… --email ana@example.com

Prints one line per file: artifact, version, name. A file over 64 MiB goes in parts; after an
interruption the same command sends the parts that are missing.";

/// Upload files into a project
///
/// The bytes go straight to the surface's storage, at the addresses the surface plans, and are
/// verified there. Memory use does not depend on the size of a file.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Upload {
    /// The files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The project they go into
    #[arg(long, value_name = "ID")]
    project: ProjectId,
    /// Add a version to this artifact instead of making a new one; takes one file
    #[arg(long, value_name = "ID")]
    artifact: Option<ArtifactId>,
    /// The media type of the files, instead of the one their endings suggest
    #[arg(long, value_name = "TYPE")]
    media_type: Option<MediaType>,
    #[command(flatten)]
    connection: Connection,
}

impl Upload {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        if self.artifact.is_some() && self.files.len() > 1 {
            return Err(Failure::usage("`--artifact` takes one file; leave it out to make an artifact of each"));
        }
        let destinations: Vec<_> = self
            .files
            .iter()
            .map(|file| self.destination(file))
            .collect::<Result<_, _>>()?;
        let client = self.connection.client()?;
        for (file, destination) in self.files.iter().zip(&destinations) {
            let uploaded = upload(&client, file, destination).await?;
            let (artifact, version) = (uploaded.artifact, uploaded.version);
            line(format!("{artifact}  {version}  {}", destination.name))?;
        }
        Ok(())
    }

    fn destination(&self, file: &Path) -> Result<Destination, Failure> {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name: FileName = name.parse().map_err(|error| {
            Failure::because(format!("`{}` has a name no surface takes; rename it", file.display()), error)
        })?;
        let media_type = match &self.media_type {
            Some(media_type) => media_type.clone(),
            None => media_type_of(name.as_str())?,
        };
        Ok(Destination {
            project: self.project,
            artifact: self.artifact,
            name,
            media_type,
        })
    }
}

/// The media type the ending of a name suggests.
pub(super) fn media_type_of(name: &str) -> Result<MediaType, Failure> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let media_type = match ending.as_deref().unwrap_or_default() {
        "txt" | "log" | "toml" | "rs" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => "application/octet-stream",
    };
    media_type
        .parse()
        .map_err(|error| Failure::because(format!("`{media_type}` is no media type"), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_suggests_the_media_type() {
        for (name, media_type) in [
            ("a.PDF", "application/pdf"),
            ("a.tar.gz", "application/gzip"),
            ("README", "application/octet-stream"),
        ] {
            assert_eq!(media_type_of(name).unwrap().as_str(), media_type);
        }
    }
}
