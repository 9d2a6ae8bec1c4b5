//! The two record families with uploaded bytes.

use alloc::vec::Vec;

use super::{ArtifactRef, FoundArtifact};
use crate::{
    operation::{Commit, Context, Facts, Parsed, Problem, ReadRequest},
    permission::Permit,
    record::{Artifact, Body, Content, Derived, EventType, Record, Version, VersionNumber},
    storage::{Key, ObjectKind, ObjectPath, Scope, Sort},
    value::{ArtifactId, Capability, UserId},
};

/// A record with uploaded bytes: a version or a derived output.
pub(crate) trait Stored: Body<Id: Copy + Send + Sync> + Send + Sync + 'static {
    /// The name of the path parameter with the id.
    const PARAMETER: &'static str;
    /// The capability to declare and complete one.
    const CREATE: Capability;
    /// The event types of uploads of this family.
    const EVENTS: ContentEvents;

    /// The sort key below the document.
    fn sort(artifact: ArtifactId, id: Self::Id) -> Sort;

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

/// The ids of a version or derived output in a path.
pub(crate) struct ContentRef<S: Stored> {
    pub(crate) document: ArtifactRef,
    pub(crate) id: S::Id,
}

impl<S: Stored> ContentRef<S> {
    pub(crate) fn of(request: &Parsed<'_>) -> Result<Self, Problem> {
        Ok(Self {
            document: ArtifactRef::of(request)?,
            id: request.path(S::PARAMETER)?,
        })
    }

    pub(crate) fn key(&self) -> Key {
        let sort = S::sort(self.document.artifact, self.id);
        self.document.scope().key(sort)
    }

    /// The reads for this person. One round is enough.
    pub(crate) fn reads(&self, user: UserId) -> Vec<ReadRequest> {
        let mut reads = self.document.reads(user);
        reads.push(ReadRequest::Get(self.key()));
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
    /// 404 if it does not exist.
    pub(crate) fn record(&self, facts: &Facts) -> Result<Record<S>, Problem> {
        let record: Option<Record<S>> = facts.record(&self.key())?;
        record
            .filter(|record| !record.deleted)
            .ok_or_else(Problem::not_found)
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
            ObjectKind::Raw(number) => Self::Version(ContentRef {
                document,
                id: VersionNumber(number),
            }),
            ObjectKind::Derived(id) => Self::Derived(ContentRef { document, id }),
        }
    }

    pub(crate) fn key(&self) -> Key {
        match self {
            Self::Version(target) => target.key(),
            Self::Derived(target) => target.key(),
        }
    }
}
