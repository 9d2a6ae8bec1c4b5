//! The destination and the media type of an upload.

use std::path::Path;

use wm_core::value::{ArtifactId, FileName, MediaType, ProjectId};

use super::error::{TransferError, TransferErrorKind};

/// The destination of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Destination {
    pub project: ProjectId,
    /// The document that gets a new version. `None` creates a document.
    pub artifact: Option<ArtifactId>,
    /// The file name in the workspace.
    pub name: FileName,
    /// The media type of the bytes.
    pub media_type: MediaType,
}

impl Destination {
    /// A new document of this project, with the name of the file and a media type based on its
    /// extension.
    ///
    /// # Errors
    /// [`TransferErrorKind::UnusableName`].
    pub fn of(file: &Path, project: ProjectId) -> Result<Self, TransferError> {
        let name = file.file_name().and_then(|name| name.to_str());
        let name: FileName = name.unwrap_or_default().parse().map_err(|error| {
            TransferError::because(TransferErrorKind::UnusableName(file.to_owned()), error)
        })?;
        Ok(Self {
            project,
            artifact: None,
            media_type: media_type_of(name.as_str())?,
            name,
        })
    }
}

/// The media type for the extension of a file name.
fn media_type_of(name: &str) -> Result<MediaType, TransferError> {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let media_type = match extension.as_deref().unwrap_or_default() {
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
    media_type.parse().map_err(|error| {
        TransferError::because(TransferErrorKind::UnusableMediaType(media_type), error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_follows_the_extension() {
        for (name, media_type) in [
            ("a.PDF", "application/pdf"),
            ("a.tar.gz", "application/gzip"),
            ("README", "application/octet-stream"),
        ] {
            assert_eq!(media_type_of(name).unwrap().as_str(), media_type);
        }
    }
}
