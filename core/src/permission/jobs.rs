//! Permits for jobs of the system. The record of the job must require it.

use super::{Permit, right::Job};
use crate::{
    record::{Content, ContentStatus, Invitation, InvitationStatus, Team},
    storage::Scope,
    value::{AccountId, ProjectId, Timestamp},
};

/// The record does not require this job. This is an error of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record does not call for this job")]
pub struct NotDue;

impl Permit {
    /// Permits recording the id of an upload in parts. The record must wait for bytes and have no
    /// id yet.
    ///
    /// # Errors
    /// [`NotDue`].
    pub(crate) fn record_upload(project: ProjectId, upload: &Content) -> Result<Self, NotDue> {
        let due = upload.status == ContentStatus::Pending && upload.upload_id.is_none();
        Self::for_project(project, Job::RecordUpload, due)
    }

    /// Permits completing an upload. The record must wait for bytes or for verification.
    ///
    /// # Errors
    /// [`NotDue`].
    pub(crate) fn complete_upload(project: ProjectId, upload: &Content) -> Result<Self, NotDue> {
        Self::for_project(project, Job::CompleteUpload, is_open(upload))
    }

    /// Permits expiring an upload. Its time must be over.
    ///
    /// # Errors
    /// [`NotDue`].
    pub(crate) fn expire_upload(
        project: ProjectId,
        upload: &Content,
        now: Timestamp,
    ) -> Result<Self, NotDue> {
        let due = is_open(upload) && upload.upload_expires_at <= now;
        Self::for_project(project, Job::ExpireUpload, due)
    }

    /// Permits closing an invitation. It must be accepted.
    ///
    /// # Errors
    /// [`NotDue`].
    pub(crate) fn complete_invitation(invitation: &Invitation) -> Result<Self, NotDue> {
        let due = invitation.status == InvitationStatus::Accepted;
        let scope = Scope::Account(invitation.account_id);
        due.then(|| Self::job(scope, Job::CompleteInvitation))
            .ok_or(NotDue)
    }

    /// Permits marking the rows of a deleted team in its account.
    ///
    /// # Errors
    /// [`NotDue`] while the team is not deleted.
    pub(crate) fn retire_team(account: AccountId, team: &Team) -> Result<Self, NotDue> {
        let due = team.retiring && team.account_id == account;
        due.then(|| Self::job(Scope::Account(account), Job::RetireTeam))
            .ok_or(NotDue)
    }

    /// Permits revoking the grants of a deleted team on a project of its account.
    ///
    /// # Errors
    /// [`NotDue`] while the team is not deleted.
    pub(crate) fn revoke_grants_of_team(project: ProjectId, team: &Team) -> Result<Self, NotDue> {
        let due = team.retiring && team.account_id == project.account();
        Self::for_project(project, Job::RetireTeam, due)
    }

    fn for_project(project: ProjectId, job: Job, due: bool) -> Result<Self, NotDue> {
        due.then(|| Self::job(Scope::Project(project), job))
            .ok_or(NotDue)
    }
}

fn is_open(upload: &Content) -> bool {
    matches!(
        upload.status,
        ContentStatus::Pending | ContentStatus::Verifying
    )
}
