//! The two families whose records stand for uploaded bytes.

use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::Serialize;

use super::{ArtifactPlace, FoundArtifact};
use crate::{
    operation::{Commit, Context, Facts, Parsed, Problem, ReadRequest},
    record::{Artifact, Body, Content, Derived, EventType, Record, Version, VersionNumber},
    storage::{Key, ObjectKind, ObjectPath, Scope, Sort},
    value::{ArtifactId, Capability, UserId},
};

/// A record that stands for uploaded bytes: a raw version or a derived output.
pub(crate) trait Stored: Body<Id: Copy + Send + Sync> + Send + Sync + 'static {
    /// How answers show it.
    type View: Serialize + JsonSchema + for<'a> From<&'a Record<Self>>;
    /// The name of its id in paths.
    const PARAMETER: &'static str;
    /// What declaring and completing one takes.
    const CREATE: Capability;
    /// What the journal calls what becomes of it.
    const EVENTS: ContentEvents;

    /// Where it is below its artifact.
    fn sort(artifact: ArtifactId, id: Self::Id) -> Sort;

    /// What was declared, and what became of the upload.
    fn content(&self) -> &Content;

    /// The same with other content.
    fn with_content(&self, content: Content) -> Self;

    /// Where the bytes lie.
    fn object_path(record: &Record<Self>) -> ObjectPath;

    /// Another record that changes when this one becomes available, beside the artifact.
    fn companion(&self) -> Option<Key> {
        None
    }

    /// Changes what else changes when it becomes available.
    ///
    /// # Errors
    /// When a fact is missing.
    fn release(
        commit: &mut Commit<'_>,
        facts: &Facts,
        artifact: &Record<Artifact>,
        record: &Record<Self>,
    ) -> Result<(), Problem>;
}

/// What the journal calls what becomes of an upload.
pub(crate) struct ContentEvents {
    pub(crate) upload_started: EventType,
    pub(crate) reissued: EventType,
    pub(crate) verifying: EventType,
    pub(crate) available: EventType,
    pub(crate) rejected: EventType,
    pub(crate) expired: EventType,
}

/// A raw version or derived output as paths address it.
pub(crate) struct Place<S: Stored> {
    pub(crate) below: ArtifactPlace,
    pub(crate) id: S::Id,
}

impl<S: Stored> Place<S> {
    /// What a request's path names.
    pub(crate) fn of(request: &Parsed<'_>) -> Result<Self, Problem> {
        Ok(Self {
            below: ArtifactPlace::of(request)?,
            id: request.path(S::PARAMETER)?,
        })
    }

    pub(crate) fn key(&self) -> Key {
        let sort = S::sort(self.below.artifact, self.id);
        self.below.scope().key(sort)
    }

    /// The one read round that finds it for this person.
    pub(crate) fn reads(&self, user: UserId) -> Vec<ReadRequest> {
        let mut reads = self.below.reads(user);
        reads.push(ReadRequest::Get(self.key()));
        reads
    }

    /// It and its artifact.
    ///
    /// # Errors
    /// 404 to whoever does not see it.
    pub(crate) fn find(
        &self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<(FoundArtifact, Record<S>), Problem> {
        let found = self.below.find(context, facts)?;
        Ok((found, self.record(facts)?))
    }

    /// The record by itself.
    ///
    /// # Errors
    /// 404 when there is none.
    pub(crate) fn record(&self, facts: &Facts) -> Result<Record<S>, Problem> {
        let record: Option<Record<S>> = facts.record(&self.key())?;
        record
            .filter(|record| !record.deleted)
            .ok_or_else(Problem::not_found)
    }
}

/// A raw version or derived output, whichever a path or key names.
pub(crate) enum AnyPlace {
    Version(Place<Version>),
    Derived(Place<Derived>),
}

impl AnyPlace {
    /// The record an object's path belongs to.
    pub(crate) fn of_object(path: &ObjectPath) -> Self {
        let below = ArtifactPlace {
            project: path.project,
            artifact: path.artifact,
        };
        Self::below(below, path.kind)
    }

    /// The record of a key; `None` when it is of another family.
    pub(crate) fn of_key(key: &Key) -> Option<Self> {
        let Scope::Project(project) = key.scope else {
            return None;
        };
        let (artifact, kind) = key.sort.content()?;
        Some(Self::below(ArtifactPlace { project, artifact }, kind))
    }

    fn below(below: ArtifactPlace, kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Raw(number) => Self::Version(Place {
                below,
                id: VersionNumber(number),
            }),
            ObjectKind::Derived(id) => Self::Derived(Place { below, id }),
        }
    }

    pub(crate) fn key(&self) -> Key {
        match self {
            Self::Version(place) => place.key(),
            Self::Derived(place) => place.key(),
        }
    }
}
