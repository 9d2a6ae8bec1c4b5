//! Signed URLs, asked for by an operation and signed once everything is committed.

use alloc::string::String;

use crate::{
    permission::Permit,
    storage::{ObjectPath, UploadLimits},
    value::{FileName, MediaType, Sha256, Size, Timestamp},
};

/// An address to sign. It carries the permit, so nothing is signed for whoever was not allowed.
#[derive(Debug, Clone)]
pub enum Sign {
    /// A plan for uploading; becomes the member `upload` of the answer.
    Upload(SignUpload),
    /// An address for downloading; becomes the answer.
    Download(SignDownload),
}

/// An upload to be planned: one PUT, or parts above [`UploadLimits::single_limit`].
#[derive(Debug, Clone)]
pub struct SignUpload {
    permit: Permit,
    /// The one object it may create.
    pub path: ObjectPath,
    /// Its media type.
    pub media_type: MediaType,
    /// Its size.
    pub size: Size,
    /// Its digest.
    pub sha256: Sha256,
    /// When the plan ends.
    pub expires_at: Timestamp,
    /// The provider's name of the multipart upload begun before, when a plan is issued again.
    pub upload_id: Option<String>,
    /// Those of the surface.
    pub limits: UploadLimits,
}

impl SignUpload {
    /// An upload that this permit allows.
    #[must_use]
    pub fn new(
        permit: Permit,
        path: ObjectPath,
        media_type: MediaType,
        size: Size,
        sha256: Sha256,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            permit,
            path,
            media_type,
            size,
            sha256,
            expires_at,
            upload_id: None,
            limits: UploadLimits::default(),
        }
    }

    /// Who may upload, and where.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Whether it is uploaded in parts.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.limits.in_parts(self.size)
    }

    /// The parts with their sizes, numbered from 1.
    pub fn parts(&self) -> impl Iterator<Item = (u16, u64)> {
        let (size, part_size) = (self.size.bytes(), self.limits.part_size);
        (1..=self.limits.part_count(self.size)).map(move |number| {
            let start = u64::from(number - 1) * part_size;
            (number, part_size.min(size - start))
        })
    }
}

/// A download to be signed.
#[derive(Debug, Clone)]
pub struct SignDownload {
    permit: Permit,
    /// The object.
    pub path: ObjectPath,
    /// The provider's version of it that was verified.
    pub object_version: Option<String>,
    /// The name the browser saves it under.
    pub file: FileName,
    /// The type it is served as.
    pub media_type: MediaType,
    /// When the address ends.
    pub expires_at: Timestamp,
}

impl SignDownload {
    /// A download that this permit allows.
    #[must_use]
    pub fn new(
        permit: Permit,
        path: ObjectPath,
        object_version: Option<String>,
        file: FileName,
        media_type: MediaType,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            permit,
            path,
            object_version,
            file,
            media_type,
            expires_at,
        }
    }

    /// Who may download, and where.
    #[must_use]
    pub fn permit(&self) -> &Permit {
        &self.permit
    }
}
