//! Declaring bytes before the upload.

use alloc::vec;
use core::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    operation::{
        Context, Facts, Problem, Reply, Sign, SignUpload,
        content::{ArtifactRef, Stored},
        view,
    },
    permission::Permit,
    record::{Content, ContentStatus, Record},
    storage::Key,
    value::{FileName, MediaType, Sha256, Size, Timestamp, UserId, canonical},
};

/// The lifetime of a plan with one PUT: 15 minutes.
const SINGLE_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// The lifetime of a plan with parts: 24 hours.
const MULTIPART_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A file that the caller is going to upload.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewContent")]
pub(crate) struct Declaration {
    pub(crate) name: FileName,
    pub(crate) media_type: MediaType,
    /// The size in bytes.
    pub(crate) size: Size,
    /// The SHA-256 digest of all bytes.
    pub(crate) sha256: Sha256,
}

impl Declaration {
    /// A request body for the OpenAPI document.
    pub(crate) const EXAMPLE: &str = r#"{
  "name": "Floor plan.pdf",
  "media_type": "application/pdf",
  "size": 48213,
  "sha256": "64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525"
}"#;
}

impl Declaration {
    /// The content of a new record, whose upload is pending.
    pub(crate) fn content(&self, context: &Context<'_>) -> Content {
        Content {
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            size: self.size,
            sha256: self.sha256,
            status: ContentStatus::Pending,
            uploaded_by: context.user(),
            upload_expires_at: upload_end(self.size, context),
            upload_id: None,
            object_version: None,
            stored_as: None,
        }
    }
}

/// The expiry of a plan issued now. The caller cannot extend it.
pub(crate) fn upload_end(size: Size, context: &Context<'_>) -> Timestamp {
    let lifetime = if context.surface.upload.in_parts(size) {
        MULTIPART_LIFETIME
    } else {
        SINGLE_LIFETIME
    };
    context.env.now.after(lifetime)
}

/// The upload plan to sign for a record. `None` if the upload is not pending.
pub(crate) fn plan<S: Stored>(
    context: &Context<'_>,
    permit: Permit,
    record: &Record<S>,
) -> Result<Option<Sign>, Problem> {
    let content = record.body.content();
    if content.status != ContentStatus::Pending || content.upload_expires_at <= context.env.now {
        return Ok(None);
    }
    let upload = SignUpload::new(
        permit,
        S::object_path(record),
        content.media_type.clone(),
        content.size,
        content.sha256,
        content.upload_expires_at,
    )?
    .with_upload_id(content.upload_id.clone())
    .with_limits(context.surface.upload);
    Ok(Some(Sign::Upload(upload)))
}

/// Builds a 201 with the declared record and the upload plan to sign.
pub(crate) fn declared<S: Stored>(
    context: &Context<'_>,
    permit: Permit,
    record: &Record<S>,
    view: &impl Serialize,
) -> Result<Reply, Problem> {
    Ok(Reply {
        status: 201,
        body: Some(canonical::to_value(view)),
        sign: plan(context, permit, record)?,
        records: vec![record.key()],
        ..Reply::default()
    })
}

/// Returns the record that a repeated declaration created, and a permit to sign its plan again.
///
/// # Errors
/// As [`ArtifactRef::authorise`] and [`view::replayed`].
pub(crate) fn declared_before<S: Stored>(
    target: ArtifactRef,
    context: &Context<'_>,
    facts: &Facts,
    records: &[Key],
) -> Result<(Permit, Record<S>), Problem> {
    let (permit, _) = target.authorise(context, facts, S::CREATE)?;
    Ok((permit, view::replayed(facts, records, 0)?))
}

/// Content, as answered inside a version or a derived output.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ContentView {
    /// The file name.
    name: FileName,
    /// The media type that the file is served with.
    media_type: MediaType,
    /// The size in bytes.
    size: Size,
    /// The SHA-256 digest of all bytes.
    sha256: Sha256,
    /// The state of the upload.
    status: ContentStatus,
    /// The person who declared the upload.
    uploaded_by: UserId,
    /// When an open upload expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_expires_at: Option<Timestamp>,
}

impl From<&Content> for ContentView {
    fn from(content: &Content) -> Self {
        Self {
            name: content.name.clone(),
            media_type: content.media_type.clone(),
            size: content.size,
            sha256: content.sha256,
            status: content.status,
            uploaded_by: content.uploaded_by,
            upload_expires_at: content
                .status
                .is_open()
                .then_some(content.upload_expires_at),
        }
    }
}
