//! Permits for the jobs of the system, each against the record that calls for it.

use super::{Permit, right::Job};
use crate::{
    record::{Content, ContentStatus, Invitation, InvitationStatus, Team},
    storage::Scope,
    value::{AccountId, ProjectId, Timestamp},
};

/// A job was asked for that its record does not call for: a fault of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record does not call for this job")]
pub struct NotDue;

impl Permit {
    /// To record the name of an upload in parts: while its bytes are awaited and it has none.
    ///
    /// # Errors
    /// [`NotDue`].
    pub(crate) fn record_upload(project: ProjectId, upload: &Content) -> Result<Self, NotDue> {
        let due = upload.status == ContentStatus::Pending && upload.upload_id.is_none();
        Self::for_project(project, Job::RecordUpload, due)
    }

    /// To complete an upload: while its bytes are awaited or verified.
    ///
    /// # Errors
    /// [`NotDue`].
    pub(crate) fn complete_upload(project: ProjectId, upload: &Content) -> Result<Self, NotDue> {
        Self::for_project(project, Job::CompleteUpload, is_open(upload))
    }

    /// To expire an upload: once its time is over.
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

    /// To close an invitation: once it is accepted.
    ///
    /// # Errors
    /// [`NotDue`].
    pub(crate) fn complete_invitation(invitation: &Invitation) -> Result<Self, NotDue> {
        let due = invitation.status == InvitationStatus::Accepted;
        let scope = Scope::Account(invitation.account_id);
        due.then(|| Self::job(scope, Job::CompleteInvitation))
            .ok_or(NotDue)
    }

    /// To mark what a deleted team leaves behind in its account.
    ///
    /// # Errors
    /// [`NotDue`] while the team is not deleted.
    pub(crate) fn retire_team(account: AccountId, team: &Team) -> Result<Self, NotDue> {
        let due = team.retiring && team.account_id == account;
        due.then(|| Self::job(Scope::Account(account), Job::RetireTeam))
            .ok_or(NotDue)
    }

    /// To revoke what a deleted team was granted on a project of its account.
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
