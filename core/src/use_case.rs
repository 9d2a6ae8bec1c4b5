//! The shape of every operation: say what to read, then decide.

use alloc::{string::String, vec::Vec};

use serde_json::Value;

use crate::{
    api::Problem,
    context::Context,
    facts::{Ask, Facts},
    permission::Permit,
    storage::{Batch, ETag, Key, ObjectPath, Scope},
    value::{FileName, MediaType, Sha256, Size, Timestamp},
};

/// One operation, parsed from a request or made by the system.
pub trait UseCase: Send + Sync {
    /// Everything it needs to know, as far as it can tell from what is known already. It is asked
    /// again with the answers until it asks nothing new; each asking is one parallel wave of reads.
    ///
    /// # Errors
    /// When what is known already rules the operation out.
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem>;

    /// The decision.
    ///
    /// # Errors
    /// Why it is refused; nothing is changed then.
    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem>;

    /// The scope it commits in; `None` for reads. Idempotency records live there, and surfaces that
    /// can make writers of one scope queue do so by it.
    fn writes(&self, _context: &Context<'_>) -> Option<Scope> {
        None
    }

    /// Answers a repetition under an idempotency key from the records the first request made, which
    /// are in `facts` by [`Ask::Get`], beside everything [`UseCase::needs`] asks for. Authorises anew.
    ///
    /// # Errors
    /// As [`UseCase::decide`].
    fn replay(
        &self,
        _context: &Context<'_>,
        _facts: &Facts,
        _records: &[Key],
    ) -> Result<Reply, Problem> {
        Err(Problem::conflict(
            "this request was carried out before and cannot be repeated",
        ))
    }
}

/// What an operation wants done.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing to write: the answer.
    Reply(Reply),
    /// Write this, then answer.
    Commit(Batch, Reply),
    /// Write this first, in a scope of its own, then decide again with fresh facts.
    Prepare(Batch),
}

/// The answer of an operation.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body; `None` sends none.
    pub body: Option<Value>,
    /// The mark of the record shown.
    pub etag: Option<ETag>,
    /// Where the record made can be read.
    pub location: Option<String>,
    /// An address to sign once everything is committed.
    pub sign: Option<Sign>,
    /// A record whose interrupted work the executor should try to finish before it answers.
    pub finish: Option<Key>,
    /// Answered in place of the body: what was committed is that the request came to nothing.
    pub problem: Option<Problem>,
    /// A multipart upload nobody will go on with, to be removed once everything is committed.
    pub abandoned: Option<AbandonedUpload>,
    /// The records the answer shows, for repetitions under an idempotency key.
    pub records: Vec<Key>,
}

impl Reply {
    /// 200 with this body.
    #[must_use]
    pub fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
            ..Self::default()
        }
    }

    /// 204 without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self {
            status: 204,
            ..Self::default()
        }
    }
}

/// A multipart upload that was begun and given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedUpload {
    /// The object it would have made.
    pub path: ObjectPath,
    /// The provider's name for it.
    pub upload_id: String,
}

/// An address to sign. It carries the permit, so nothing is signed for whoever was not allowed.
#[derive(Debug, Clone)]
pub enum Sign {
    /// A plan for uploading; becomes the member `upload` of the answer.
    Upload(SignUpload),
    /// An address for downloading; becomes the answer.
    Download(SignDownload),
}

/// Where uploads in one piece end, and how large the pieces are then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// Objects above this many bytes are uploaded in parts.
    pub single_limit: u64,
    /// The size in bytes of every part but the last; at least 1.
    pub part_size: u64,
}

impl Default for UploadLimits {
    /// Parts of 16 MiB above 64 MiB, which every surface takes.
    fn default() -> Self {
        Self {
            single_limit: 64 * 1024 * 1024,
            part_size: 16 * 1024 * 1024,
        }
    }
}

impl UploadLimits {
    /// Whether an object of this size is uploaded in parts.
    #[must_use]
    pub fn in_parts(self, size: Size) -> bool {
        size.bytes() > self.single_limit
    }

    /// How many parts an object of this size has.
    #[must_use]
    pub fn part_count(self, size: Size) -> u16 {
        u16::try_from(size.bytes().div_ceil(self.part_size.max(1))).unwrap_or(u16::MAX)
    }
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
