//! Completing an upload. The requests of callers, storage events and the sweep share this decision.

use alloc::{string::String, vec::Vec};

use super::{ContentRef, Stored};
use crate::{
    operation::{
        Commit, Context, FactNotRead, Facts, Part, Problem, ProblemKind, ReadRequest, Stat,
        authority::ProjectRecords,
    },
    permission::Refusal,
    record::{Artifact, Content, ContentStatus, EventType, Record},
    value::{ProjectId, Timestamp},
};

/// The maximum size of an object that is hashed during the request: 64 MiB. Larger objects are
/// answered as `verifying`, and a job completes them.
pub(crate) const VERIFY_INLINE_LIMIT: u64 = 64 * 1024 * 1024;

/// The state of an upload that succeeded or can still succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadState {
    /// The declared bytes were not verified yet. They may be stored already.
    Awaited,
    /// The bytes are stored and being hashed.
    Verifying,
    /// The bytes are verified.
    Available,
}

/// Returns the state of an upload.
///
/// # Errors
/// 409 upload-mismatch after a rejection, 409 conflict after the expiry. A verification has no time
/// limit, because its bytes arrived in time.
pub(crate) fn upload_state(content: &Content, now: Timestamp) -> Result<UploadState, Problem> {
    match content.status {
        ContentStatus::Pending if now < content.upload_expires_at => Ok(UploadState::Awaited),
        ContentStatus::Verifying => Ok(UploadState::Verifying),
        ContentStatus::Available => Ok(UploadState::Available),
        ContentStatus::Rejected => Err(mismatch()),
        ContentStatus::Pending | ContentStatus::Expired => Err(Problem::conflict(
            "the upload was not completed in time; declare it again",
        )),
    }
}

/// The refusal of bytes that differ from the declaration.
pub(crate) fn mismatch() -> Problem {
    Problem::new(
        ProblemKind::UploadMismatch,
        "the bytes do not have the declared size and `sha256`, so they are never served; declare the upload again",
    )
}

/// The source of evidence that an object is complete.
pub(crate) enum Evidence {
    /// A stat of the object.
    Object(ReadRequest),
    /// The assembly of these parts.
    Parts {
        /// The provider's id of the upload.
        upload_id: String,
        /// The parts in ascending order.
        parts: Vec<Part>,
    },
}

impl Evidence {
    fn found<'f>(&self, facts: &'f Facts) -> Result<Option<&'f Stat>, FactNotRead> {
        match self {
            Self::Object(stat) => facts.stat(stat),
            Self::Parts { .. } => facts.assembled().ok_or(FactNotRead),
        }
    }
}

pub(crate) struct Completion<'a, S: Stored> {
    context: &'a Context<'a>,
    facts: &'a Facts,
    project: ProjectId,
    record: &'a Record<S>,
}

impl<S: Stored> ContentRef<S> {
    /// The completion of this record.
    pub(crate) fn completion<'a>(
        &self,
        context: &'a Context<'a>,
        facts: &'a Facts,
        record: &'a Record<S>,
    ) -> Completion<'a, S> {
        Completion {
            context,
            facts,
            project: self.document.project,
            record,
        }
    }
}

impl<S: Stored> Completion<'_, S> {
    /// The reads beside the record. The first round reads the uploader's permissions. The object
    /// store is read only if the uploader is still permitted.
    ///
    /// # Errors
    /// 409 if the uploader lost the permission to upload.
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

    /// Checks that the uploader is still permitted. This holds for every completion, because
    /// another caller or the system may complete the upload.
    ///
    /// # Errors
    /// 409 if the uploader lost the permission to upload.
    pub(crate) fn check_uploader(&self) -> Result<(), Problem> {
        let uploader = self.record.body.content().uploaded_by;
        let records = ProjectRecords::load(self.facts, self.project, uploader)?;
        match records.access(self.context.env.now).check(S::CREATE) {
            Ok(_) => Ok(()),
            Err(refusal @ Refusal::Archived) => Err(refusal.into()),
            Err(Refusal::Hidden | Refusal::Missing(_)) => Err(Problem::conflict(
                "the person who declared this upload may no longer upload to this project; declare the upload again",
            )),
        }
    }

    /// Records the evidence in the commit. Returns the new record and the event type.
    ///
    /// # Errors
    /// 409 if the bytes are not stored. Other errors as for [`Completion::reads`].
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

/// The content after checking the object against the declaration.
fn examined(before: &Content, stat: Option<&Stat>) -> Result<Content, Problem> {
    let stat = stat.ok_or_else(|| {
        Problem::conflict(
            "the bytes have not arrived yet; send them as the upload plan says, then complete the upload",
        )
    })?;
    let status = match stat.sha256 {
        _ if stat.size != before.size.bytes() => ContentStatus::Rejected,
        Some(sha256) if sha256 != before.sha256 => ContentStatus::Rejected,
        Some(_) => ContentStatus::Available,
        None if before.status == ContentStatus::Verifying => {
            return Err(Problem::unavailable("the object store returned no digest"));
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
