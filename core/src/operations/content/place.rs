//! Finding an artifact on behalf of a caller.

use alloc::vec::Vec;

use crate::{
    operation::{Commit, Context, Facts, Parsed, Problem, ReadRequest, authority::ProjectRecords},
    permission::{Permit, Refusal},
    record::{Artifact, Record},
    storage::{Key, Scope, Sort},
    value::{ArtifactId, Capability, ProjectId, Timestamp, UserId},
};

/// An artifact as paths address it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArtifactPlace {
    pub(crate) project: ProjectId,
    pub(crate) artifact: ArtifactId,
}

/// An artifact the caller sees, and the caller's standing in its project.
pub(crate) struct FoundArtifact {
    pub(crate) artifact: Record<Artifact>,
    project: ProjectId,
    records: ProjectRecords,
    now: Timestamp,
}

impl ArtifactPlace {
    /// The artifact a request's path names.
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

    /// The one read round that finds it for this person.
    pub(crate) fn reads(self, user: UserId) -> Vec<ReadRequest> {
        let mut reads = ProjectRecords::reads(self.project, user);
        reads.push(ReadRequest::Get(self.key()));
        reads
    }

    /// The artifact, deleted or not.
    ///
    /// # Errors
    /// 404 to whoever does not see the project, and where there never was such an artifact.
    pub(crate) fn find_any(
        self,
        context: &Context<'_>,
        facts: &Facts,
    ) -> Result<FoundArtifact, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let now = context.env.now;
        // Every role on a project includes this, so whoever lacks it does not see the project.
        records.access(now).check(Capability::ArtifactView)?;
        Ok(FoundArtifact {
            artifact: facts.record(&self.key())?.ok_or_else(Problem::not_found)?,
            project: self.project,
            records,
            now,
        })
    }

    /// The artifact.
    ///
    /// # Errors
    /// 404 to whoever does not see it, deleted ones included.
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
}

impl FoundArtifact {
    /// Asks for a capability on the project.
    ///
    /// # Errors
    /// 403 naming it, 409 on an archived project.
    pub(crate) fn permit(&self, capability: Capability) -> Result<Permit, Problem> {
        self.permit_if(capability, Ok(()))
    }

    /// Asks for a capability for a command with a precondition, whose failure comes after what the
    /// caller lacks (403) and before the state of the project (409).
    ///
    /// # Errors
    /// As [`FoundArtifact::permit`], and the precondition's.
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
