//! Finding a document on behalf of a caller.

use alloc::vec::Vec;

use crate::{
    operation::{Commit, Context, Facts, Parsed, Problem, ReadRequest, authority::ProjectRecords},
    permission::{Permit, Refusal},
    record::{Artifact, Record},
    storage::{Key, Scope, Sort},
    value::{ArtifactId, Capability, ProjectId, Timestamp, UserId},
};

/// The ids of a document in a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArtifactRef {
    pub(crate) project: ProjectId,
    pub(crate) artifact: ArtifactId,
}

/// A document that the caller may view, with the caller's access to its project.
pub(crate) struct FoundArtifact {
    pub(crate) artifact: Record<Artifact>,
    project: ProjectId,
    records: ProjectRecords,
    now: Timestamp,
}

impl ArtifactRef {
    pub(crate) fn of(request: &Parsed<'_>) -> Result<Self, Problem> {
        Ok(Self {
            project: request.path("project")?,
            artifact: request.path("artifact")?,
        })
    }

    pub(crate) fn scope(self) -> Scope {
        Scope::Project(self.project)
    }

    pub(crate) fn key(self) -> Key {
        self.scope().key(Sort::artifact(self.artifact))
    }

    /// The reads for this person. One round is enough.
    pub(crate) fn reads(self, user: UserId) -> Vec<ReadRequest> {
        let mut reads = ProjectRecords::reads(self.project, user);
        reads.push(ReadRequest::Get(self.key()));
        reads
    }

    /// Loads the document. Includes deleted documents.
    ///
    /// # Errors
    /// 404 if the caller may not view the project, and for an unknown document.
    pub(crate) fn find_any(
        self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<FoundArtifact, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let now = context.env.now;
        // Every project role includes this capability. A caller without it may not view the
        // project.
        records.access(now).check(Capability::ArtifactView)?;
        Ok(FoundArtifact {
            artifact: facts.record(&self.key())?.ok_or_else(Problem::not_found)?,
            project: self.project,
            records,
            now,
        })
    }

    /// Loads the document.
    ///
    /// # Errors
    /// 404 if the caller may not view the document or it is deleted.
    pub(crate) fn find(
        self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<FoundArtifact, Problem> {
        let found = self.find_any(context, facts)?;
        if found.artifact.deleted {
            return Err(Problem::not_found());
        }
        Ok(found)
    }

    /// Loads the document for a command that requires a capability on its project.
    ///
    /// # Errors
    /// As for [`ArtifactRef::find`] and [`FoundArtifact::permit`].
    pub(crate) fn authorise(
        self,
        context: &Context<'_>,
        facts: &Facts,
        capability: Capability,
    ) -> Result<(Permit, FoundArtifact), Problem> {
        let found = self.find(context, facts)?;
        Ok((found.permit(capability)?, found))
    }
}

impl FoundArtifact {
    /// Requires a capability on the project.
    ///
    /// # Errors
    /// 403 naming the capability, 409 for an archived project.
    pub(crate) fn permit(&self, capability: Capability) -> Result<Permit, Problem> {
        self.permit_if(capability, Ok(()))
    }

    /// Requires a capability for a command with a precondition. A missing capability (403) is
    /// refused before the precondition, and an archived project (409) after it.
    ///
    /// # Errors
    /// As for [`FoundArtifact::permit`], and the error of the precondition.
    pub(crate) fn permit_if(
        &self,
        capability: Capability,
        precondition: Result<(), Problem>,
    ) -> Result<Permit, Problem> {
        let access = self.records.access(self.now);
        match access.permit(self.project, capability) {
            Err(refusal @ (Refusal::Hidden | Refusal::Missing(_))) => Err(refusal.into()),
            allowed => precondition.and_then(|()| Ok(allowed?)),
        }
    }

    /// Opens a commit in the project.
    ///
    /// # Errors
    /// As [`Commit::open`].
    pub(crate) fn commit<'a>(
        &self,
        context: &'a Context<'a>,
        permit: Permit,
    ) -> Result<Commit<'a>, Problem> {
        Commit::open(context, permit, self.records.head.clone())
    }
}
