//! Completing an upload: the decision that a caller's request, a storage event and the sweep share.

use alloc::{string::String, vec::Vec};

use super::Stored;
use crate::{
    operation::{
        Commit, Context, Facts, NotAsked, Part, Problem, ProblemKind, ReadRequest, Reply, Stat,
        authority::ProjectRecords, view,
    },
    permission::Refusal,
    record::{Artifact, Content, ContentStatus, EventType, Record},
    value::{ProjectId, Timestamp},
};

/// Objects up to this many bytes are read and hashed while the caller waits: 64 MiB. For larger
/// ones the answer is `verifying`, and the storage side finishes.
pub(crate) const VERIFY_INLINE_LIMIT: u64 = 64 * 1024 * 1024;

/// Where an upload stands that can still end well, or has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadState {
    /// The bytes may come, or be there.
    Awaited,
    /// The bytes are there and being read.
    Verifying,
    /// Verified.
    Available,
}

/// Where an upload stands.
///
/// # Errors
/// 409 upload-mismatch once it was rejected, 409 conflict once its time is over. A verification
/// under way has all the time it needs: its bytes came in time.
pub(crate) fn upload_state(content: &Content, now: Timestamp) -> Result<UploadState, Problem> {
    match content.status {
        ContentStatus::Pending if now < content.upload_expires_at => Ok(UploadState::Awaited),
        ContentStatus::Verifying => Ok(UploadState::Verifying),
        ContentStatus::Available => Ok(UploadState::Available),
        ContentStatus::Rejected => Err(mismatch()),
        ContentStatus::Pending | ContentStatus::Expired => Err(Problem::conflict(
            "the upload was not completed in time: declare it anew",
        )),
    }
}

fn mismatch() -> Problem {
    Problem::new(
        ProblemKind::UploadMismatch,
        "the bytes do not have the declared size and `sha256`, and are never served: declare the upload anew",
    )
}

/// The answer that shows where an upload stands: 200, or 202 while it is being verified.
///
/// # Errors
/// 409 upload-mismatch once it was rejected.
pub(crate) fn reply<S: Stored>(record: &Record<S>) -> Result<Reply, Problem> {
    let shown = view::shown(record, &S::View::from(record));
    match record.body.content().status {
        ContentStatus::Verifying => Ok(Reply {
            status: 202,
            ..shown
        }),
        ContentStatus::Rejected => Err(mismatch()),
        _ => Ok(shown),
    }
}

/// What shows that an object is there and whole.
pub(crate) enum Evidence {
    /// The object store's word.
    Object(ReadRequest),
    /// The object that these parts make.
    Parts {
        /// The provider's name for the upload.
        upload_id: String,
        /// The parts, ascending.
        parts: Vec<Part>,
    },
}

impl Evidence {
    fn found<'f>(&self, facts: &'f Facts) -> Result<Option<&'f Stat>, NotAsked> {
        match self {
            Self::Object(stat) => facts.stat(stat),
            Self::Parts { .. } => facts.assembled().ok_or(NotAsked),
        }
    }
}

/// One upload about to be completed.
pub(crate) struct Completion<'a, S: Stored> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) facts: &'a Facts,
    pub(crate) project: ProjectId,
    pub(crate) record: &'a Record<S>,
}

impl<S: Stored> Completion<'_, S> {
    /// What it takes beside the record: the standing of whoever declared the upload and, only once
    /// that holds, what the object store says.
    ///
    /// # Errors
    /// 409 when whoever declared it may no longer upload.
    pub(crate) fn reads(&self, evidence: Evidence) -> Result<Vec<ReadRequest>, Problem> {
        let uploader = self.record.body.content().uploaded_by;
        let mut reads = ProjectRecords::reads(self.project, uploader);
        if self.facts.has_all(&reads) {
            self.check_uploader()?;
            if let Evidence::Object(stat) = evidence {
                reads.push(stat);
            }
            reads.extend(self.record.body.companion().map(ReadRequest::Get));
        }
        Ok(reads)
    }

    /// Whoever declared an upload must still be allowed to when it is completed, whoever completes it.
    ///
    /// # Errors
    /// 409 when whoever declared it may no longer upload.
    pub(crate) fn check_uploader(&self) -> Result<(), Problem> {
        let uploader = self.record.body.content().uploaded_by;
        let records = ProjectRecords::load(self.facts, self.project, uploader)?;
        match records.access(self.context.env.now).check(S::CREATE) {
            Ok(_) => Ok(()),
            Err(refusal @ Refusal::Archived) => Err(refusal.into()),
            Err(Refusal::Hidden | Refusal::Missing(_)) => Err(Problem::conflict(
                "whoever declared this upload may no longer upload here: declare it anew",
            )),
        }
    }

    /// Records in the commit what the object store says. Answers the record as it is then, and what
    /// happened.
    ///
    /// # Errors
    /// 409 while the bytes are not there, and as [`Completion::reads`].
    pub(crate) fn examine(
        &self,
        commit: &mut Commit<'_>,
        artifact: &Record<Artifact>,
        evidence: &Evidence,
    ) -> Result<(Record<S>, EventType), Problem> {
        self.check_uploader()?;
        let before = &self.record.body;
        let object = evidence.found(self.facts)?;
        let content = examined(before.content(), object)?;
        let status = content.status;
        let record = commit.update(self.record, before.with_content(content));
        let event = match status {
            ContentStatus::Available => {
                S::release(commit, self.facts, artifact, &record)?;
                S::EVENTS.available
            }
            ContentStatus::Rejected => S::EVENTS.rejected,
            _ => S::EVENTS.verifying,
        };
        Ok((record, event))
    }
}

/// The content after a look at the object.
fn examined(before: &Content, stat: Option<&Stat>) -> Result<Content, Problem> {
    let stat = stat.ok_or_else(|| {
        Problem::conflict(
            "the bytes are not there yet: send them as the upload plan says, then complete",
        )
    })?;
    let status = match stat.sha256 {
        _ if stat.size != before.size.bytes() => ContentStatus::Rejected,
        Some(sha256) if sha256 != before.sha256 => ContentStatus::Rejected,
        Some(_) => ContentStatus::Available,
        None if before.status == ContentStatus::Verifying => {
            return Err(Problem::unavailable("the object store told no digest"));
        }
        None => ContentStatus::Verifying,
    };
    let is_final = status != ContentStatus::Verifying;
    Ok(Content {
        status,
        object_version: stat.version.clone(),
        upload_id: before.upload_id.clone().filter(|_| !is_final),
        ..before.clone()
    })
}
