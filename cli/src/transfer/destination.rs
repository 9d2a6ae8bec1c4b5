//! Where a file goes, and what it is taken for.

use std::path::Path;

use wm_core::value::{ArtifactId, FileName, MediaType, ProjectId};

use crate::failure::Failure;

/// Where a file goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The project.
    pub(crate) project: ProjectId,
    /// The artifact to add a version to; a new one if there is none.
    pub(crate) artifact: Option<ArtifactId>,
    /// The name to give it.
    pub(crate) name: FileName,
    /// Its media type.
    pub(crate) media_type: MediaType,
}

impl Destination {
    /// A new artifact of this project, named after the file.
    pub(crate) fn of(file: &Path, project: ProjectId) -> Result<Self, Failure> {
        let name = file.file_name().and_then(|name| name.to_str());
        let name: FileName = name.unwrap_or_default().parse().map_err(|error| {
            let file = file.display();
            Failure::because(
                format!("`{file}` has a name no surface takes; rename it"),
                error,
            )
        })?;
        Ok(Self {
            project,
            artifact: None,
            media_type: media_type_of(name.as_str())?,
            name,
        })
    }
}

/// The media type the ending of a name suggests.
fn media_type_of(name: &str) -> Result<MediaType, Failure> {
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
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
