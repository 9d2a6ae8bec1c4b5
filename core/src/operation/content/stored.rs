//! The two record families with uploaded bytes.

use alloc::{format, vec::Vec};
use core::{slice, str::FromStr};

use super::{ArtifactRef, FoundArtifact};
use crate::{
    operation::{Commit, Context, FactError, Facts, Parsed, Problem, ReadRequest},
    permission::Permit,
    record::{Artifact, Body, Content, Derived, EventType, Record, Version},
    storage::{Key, ObjectKind, ObjectPath, Scope},
    value::{Capability, Invalid, UserId},
};

/// A record with uploaded bytes: a version or a derived output.
pub(crate) trait Stored: Body<Id: Copy> + Send + Sync + 'static {
    /// The way in which paths name a record of this family.
    type Ref: Copy + FromStr<Err = Invalid> + From<Self::Id> + Send + Sync;
    /// The name of the path parameter that names a record.
    const PARAMETER: &'static str;
    /// The capability to declare and complete one.
    const CREATE: Capability;
    /// The event types of uploads of this family.
    const EVENTS: ContentEvents;

    /// The read that finds a record of a document.
    fn read(document: ArtifactRef, reference: Self::Ref) -> ReadRequest;

    /// The declaration and the state of the upload.
    fn content(&self) -> &Content;

    fn with_content(&self, content: Content) -> Self;

    fn object_path(record: &Record<Self>) -> ObjectPath;

    /// The key of another record that changes when this one becomes available. The document is not
    /// counted.
    fn companion(&self) -> Option<Key> {
        None
    }

    /// Updates related records when this record becomes available.
    ///
    /// # Errors
    /// [`FactError`] if a fact is missing.
    fn release(
        commit: &mut Commit<'_>,
        facts: &Facts,
        artifact: &Record<Artifact>,
        record: &Record<Self>,
    ) -> Result<(), Problem>;
}

/// The event types of an upload.
pub(crate) struct ContentEvents {
    pub(crate) upload_started: EventType,
    pub(crate) reissued: EventType,
    pub(crate) verifying: EventType,
    pub(crate) available: EventType,
    pub(crate) rejected: EventType,
    pub(crate) expired: EventType,
}

/// A version or derived output as a path names it.
pub(crate) struct ContentRef<S: Stored> {
    pub(crate) document: ArtifactRef,
    pub(crate) reference: S::Ref,
}

impl<S: Stored> ContentRef<S> {
    pub(crate) fn of(request: &Parsed<'_>) -> Result<Self, Problem> {
        Ok(Self {
            document: ArtifactRef::of(request)?,
            reference: request.path(S::PARAMETER)?,
        })
    }

    /// The read of the record.
    pub(crate) fn read(&self) -> ReadRequest {
        S::read(self.document, self.reference)
    }

    /// The reads for this person. One round is enough.
    pub(crate) fn reads(&self, user: UserId) -> Vec<ReadRequest> {
        let mut reads = self.document.reads(user);
        reads.push(self.read());
        reads
    }

    /// Loads the record and its document.
    ///
    /// # Errors
    /// 404 if the caller may not view the document.
    pub(crate) fn find(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(FoundArtifact, Record<S>), Problem> {
        let found = self.document.find(context, facts)?;
        Ok((found, self.record(facts)?))
    }

    /// Loads the record and its document for a command that requires a capability on the project.
    ///
    /// # Errors
    /// As for [`ContentRef::find`] and [`FoundArtifact::permit`].
    pub(crate) fn authorise(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        capability: Capability,
    ) -> Result<(Permit, FoundArtifact, Record<S>), Problem> {
        let (found, record) = self.find(context, facts)?;
        Ok((found.permit(capability)?, found, record))
    }

    /// Loads the record alone.
    ///
    /// # Errors
    /// 404 if it does not exist, 409 if the number names two versions.
    pub(crate) fn record(&self, facts: &Facts) -> Result<Record<S>, Problem> {
        let record = self.record_any(facts)?;
        record
            .filter(|record| !record.deleted)
            .ok_or_else(Problem::not_found)
    }

    /// Loads the record alone, also if it is deleted. `None` if it does not exist.
    ///
    /// # Errors
    /// 409 if the number names two versions.
    pub(crate) fn record_any(&self, facts: &Facts) -> Result<Option<Record<S>>, Problem> {
        let items = match self.read() {
            ReadRequest::Get(key) => facts.item(&key)?.map(slice::from_ref).unwrap_or_default(),
            ReadRequest::Scan(range) => &facts.scan(&range)?.items,
            _ => return Err(Problem::internal("a record is read by its key")),
        };
        let mut records = Record::decode_all(items).map_err(FactError::from)?;
        if let [one, other] = records.as_slice() {
            let (one, other) = (&one.id, &other.id);
            let text = format!("both `{one}` and `{other}` have this number; use one of the ids");
            return Err(Problem::conflict(text));
        }
        Ok(records.pop())
    }
}

/// A version or derived output, for code that handles both.
pub(crate) enum AnyContentRef {
    Version(ContentRef<Version>),
    Derived(ContentRef<Derived>),
}

impl AnyContentRef {
    /// The record that an object path belongs to.
    pub(crate) fn of_object(path: &ObjectPath) -> Self {
        let document = ArtifactRef {
            project: path.project,
            artifact: path.artifact,
        };
        Self::of_document(document, path.kind)
    }

    /// The record with this key. `None` for a key of another family.
    pub(crate) fn of_key(key: &Key) -> Option<Self> {
        let Scope::Project(project) = key.scope else {
            return None;
        };
        let (artifact, kind) = key.sort.content()?;
        Some(Self::of_document(ArtifactRef { project, artifact }, kind))
    }

    fn of_document(document: ArtifactRef, kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Raw(id) => Self::Version(ContentRef {
                document,
                reference: id.into(),
            }),
            ObjectKind::Derived(reference) => Self::Derived(ContentRef {
                document,
                reference,
            }),
        }
    }

    /// The read of the record.
    pub(crate) fn read(&self) -> ReadRequest {
        match self {
            Self::Version(target) => target.read(),
            Self::Derived(target) => target.read(),
        }
    }
}
