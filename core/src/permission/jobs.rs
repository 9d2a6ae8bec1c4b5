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

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::time::Duration;

    use super::*;
    use crate::{
        testing::GrantFixture,
        value::{AccountRole, Sha256, UserId, id::Id},
    };

    fn upload(status: ContentStatus, upload_id: Option<&str>, expires: Timestamp) -> Content {
        Content {
            name: "plan.txt".parse().unwrap(),
            media_type: "text/plain".parse().unwrap(),
            size: 4_u64.try_into().unwrap(),
            sha256: Sha256::of(b"plan"),
            status,
            uploaded_by: UserId::from_ulid(ulid::Ulid::nil()),
            upload_expires_at: expires,
            upload_id: upload_id.map(Into::into),
            object_version: None,
            stored_as: None,
        }
    }

    #[test]
    fn upload_job_is_due_in_its_state_only() {
        let fixture = GrantFixture::new();
        let project = fixture.project.parse().unwrap();
        let now = fixture.base.now;
        let later = now.after(Duration::from_millis(1));
        use ContentStatus::{Available, Expired, Pending, Rejected, Verifying};
        for status in [Pending, Verifying, Available, Rejected, Expired] {
            let open = matches!(status, Pending | Verifying);
            for (upload_id, expires) in [(None, now), (None, later), (Some("parts"), now)] {
                let upload = upload(status, upload_id, expires);
                let record = Permit::record_upload(project, &upload);
                assert_eq!(record.is_ok(), status == Pending && upload_id.is_none());
                assert_eq!(Permit::complete_upload(project, &upload).is_ok(), open);
                let expire = Permit::expire_upload(project, &upload, now);
                assert_eq!(expire.is_ok(), open && expires == now);
            }
        }
    }

    #[test]
    fn invitation_is_completed_once_accepted() {
        let fixture = GrantFixture::new();
        let invitation = |status| Invitation {
            account_id: fixture.account.parse().unwrap(),
            email: "dan@example.com".parse().unwrap(),
            email_hash: Sha256::of(b"dan"),
            role: AccountRole::Guest,
            teams: Vec::new(),
            project_grants: Vec::new(),
            invited_by: fixture.ana.actor.user,
            expires_at: fixture.base.now,
            rotation: 0,
            status,
            answered_by: None,
            pending_grants: Vec::new(),
            not_made: Vec::new(),
            salt: Sha256::of(b"salt"),
        };
        let accepted = Permit::complete_invitation(&invitation(InvitationStatus::Accepted));
        assert!(accepted.is_ok());
        let pending = Permit::complete_invitation(&invitation(InvitationStatus::Pending));
        assert_eq!(pending, Err(NotDue));
    }

    #[test]
    fn retiring_team_is_retired_in_its_own_account() {
        let mut fixture = GrantFixture::new();
        let ana = fixture.ana.clone();
        let account: AccountId = fixture.account.parse().unwrap();
        let project: ProjectId = fixture.project.parse().unwrap();
        let other: AccountId = fixture.base.account(&ana).parse().unwrap();
        for retiring in [true, false] {
            for account_id in [account, other] {
                let team = Team {
                    account_id,
                    name: "Review".parse().unwrap(),
                    may_own: false,
                    retiring,
                };
                let due = retiring && account_id == account;
                assert_eq!(Permit::retire_team(account, &team).is_ok(), due);
                assert_eq!(Permit::revoke_grants_of_team(project, &team).is_ok(), due);
            }
        }
    }
}
