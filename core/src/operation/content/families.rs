//! Versions and derived outputs as records with uploaded bytes.

use super::{ArtifactRef, ContentEvents, Stored};
use crate::{
    operation::{Commit, Facts, Problem, ReadRequest},
    record::{Artifact, Content, CurrentVersion, Derived, EventType, Record, Version, VersionRef},
    storage::{Key, ObjectPath, Range, Scope, Sort},
    value::{Capability, DerivedId, VersionId},
};

impl Stored for Version {
    type Ref = VersionRef;
    const PARAMETER: &'static str = "number";
    const CREATE: Capability = Capability::VersionCreate;
    const EVENTS: ContentEvents = ContentEvents {
        upload_started: EventType::VersionUploadStarted,
        reissued: EventType::VersionReissued,
        verifying: EventType::VersionVerifying,
        available: EventType::VersionAvailable,
        rejected: EventType::VersionRejected,
        expired: EventType::VersionExpired,
    };

    /// A number is looked up by prefix, because the key also contains the id.
    fn read(document: ArtifactRef, reference: VersionRef) -> ReadRequest {
        let artifact = document.artifact;
        match reference {
            VersionRef::Id(id) => {
                let sort = Sort::version(artifact, id.number(), id);
                ReadRequest::Get(document.scope().key(sort))
            }
            VersionRef::Number(number) => ReadRequest::Scan(Range {
                limit: Some(2),
                ..Range::all(document.scope(), Sort::versions(artifact, number))
            }),
        }
    }

    fn content(&self) -> &Content {
        &self.content
    }

    fn with_content(&self, content: Content) -> Self {
        Self {
            content,
            ..self.clone()
        }
    }

    fn object_path(record: &Record<Self>) -> ObjectPath {
        record.body.object_path(record.id)
    }

    /// The newest available version becomes the current one, in whatever order uploads complete.
    fn release(
        commit: &mut Commit<'_>,
        _: &Facts,
        artifact: &Record<Artifact>,
        record: &Record<Self>,
    ) -> Result<(), Problem> {
        let current = artifact.body.current.as_ref();
        if current.is_none_or(|current| current.number < record.body.number) {
            let artifact_body = Artifact {
                current: Some(current_of(record.id, &record.body)),
                ..artifact.body.clone()
            };
            commit.update(artifact, artifact_body);
        }
        Ok(())
    }
}

/// The fields of the current version that the document's record repeats.
pub(crate) fn current_of(id: VersionId, version: &Version) -> CurrentVersion {
    CurrentVersion {
        id,
        number: version.number,
        media_type: version.content.media_type.clone(),
        size: version.content.size,
        sha256: version.content.sha256,
    }
}

impl Stored for Derived {
    type Ref = DerivedId;
    const PARAMETER: &'static str = "derived";
    const CREATE: Capability = Capability::DerivedCreate;
    const EVENTS: ContentEvents = ContentEvents {
        upload_started: EventType::DerivedUploadStarted,
        reissued: EventType::DerivedReissued,
        verifying: EventType::DerivedVerifying,
        available: EventType::DerivedAvailable,
        rejected: EventType::DerivedRejected,
        expired: EventType::DerivedExpired,
    };

    fn read(document: ArtifactRef, id: DerivedId) -> ReadRequest {
        let sort = Sort::derived(document.artifact, id);
        ReadRequest::Get(document.scope().key(sort))
    }

    fn content(&self) -> &Content {
        &self.content
    }

    fn with_content(&self, content: Content) -> Self {
        Self {
            content,
            ..self.clone()
        }
    }

    fn object_path(record: &Record<Self>) -> ObjectPath {
        record.body.object_path(record.id)
    }

    /// The output that this output supersedes.
    fn companion(&self) -> Option<Key> {
        let sort = Sort::derived(self.artifact_id, self.supersedes?);
        Some(Scope::Project(self.project_id).key(sort))
    }

    /// An output is superseded when its successor becomes available. Of several successors, the
    /// latest one counts.
    fn release(
        commit: &mut Commit<'_>,
        facts: &Facts,
        _: &Record<Artifact>,
        record: &Record<Self>,
    ) -> Result<(), Problem> {
        let Some(key) = record.body.companion() else {
            return Ok(());
        };
        if let Some(superseded) = facts.record::<Self>(&key)? {
            let body = Self {
                superseded_by: Some(record.id),
                ..superseded.body.clone()
            };
            commit.update(&superseded, body);
        }
        Ok(())
    }
}
