//! What a permit is given for, and which commits that allows.

use core::fmt;

use crate::{
    record::EventType,
    value::{Capabilities, Capability},
};

/// What a permit is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// A capability its author has in the scope.
    Capability(Capability),
    /// Writing one's own profile and preferences.
    OwnProfile,
    /// Creating an account.
    NewAccount,
    /// Answering an invitation that was sent to an e-mail address of one's own.
    AnswerInvitation,
    /// Leaving an account, or a team of it.
    Leave,
    /// Giving up a grant of one's own.
    GiveUpGrant,
    /// Noting in the account that a team may own projects.
    MarkOwningTeam,
    /// A job the system does by itself.
    Job(Job),
    /// Whatever a test writes by way of preparation.
    #[cfg(test)]
    Fixture,
}

/// A job the system does by itself: it finishes what a person decided, or closes what is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Recording the provider's name of an upload in parts.
    RecordUpload,
    /// Completing an upload whose object arrived.
    CompleteUpload,
    /// Expiring an upload whose time is over.
    ExpireUpload,
    /// Closing an accepted invitation whose grants are made.
    CompleteInvitation,
    /// Marking what a deleted team leaves behind.
    RetireTeam,
}

/// Capabilities that let nothing be written.
const READING: Capabilities = Capabilities::of(&[
    Capability::AccountView,
    Capability::ArtifactDownload,
    Capability::ArtifactView,
    Capability::AuditView,
    Capability::EventView,
    Capability::GrantView,
    Capability::MemberView,
    Capability::MetadataView,
    Capability::ProjectView,
    Capability::TeamView,
]);

impl Right {
    pub(super) fn writes(self) -> bool {
        !matches!(self, Self::Capability(capability) if READING.has(capability))
    }

    /// Whether a commit of this type may be made with this right.
    pub(super) fn covers(self, event: EventType) -> bool {
        #[cfg(test)]
        if self == Self::Fixture {
            return true;
        }
        rights_behind(event).contains(&self)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(capability) => capability.fmt(formatter),
            other => write!(formatter, "{other:?}"),
        }
    }
}

/// The rights of which a commit of this type needs one.
fn rights_behind(event: EventType) -> &'static [Right] {
    use Capability as Can;
    use EventType as Event;
    use Right::{
        AnswerInvitation, Capability as With, GiveUpGrant, Leave, MarkOwningTeam, NewAccount,
        OwnProfile,
    };
    match event {
        Event::UserCreated
        | Event::UserUpdated
        | Event::IdentityLinked
        | Event::PreferencesUpdated => &[OwnProfile],
        Event::AccountCreated => &[NewAccount],
        Event::AccountUpdated => &[With(Can::AccountEdit)],
        Event::AccountClosed => &[With(Can::AccountDelete)],
        Event::MemberUpdated => &[With(Can::MemberManage)],
        Event::MemberRemoved => &[With(Can::MemberManage), Leave],
        Event::TeamCreated
        | Event::TeamDeleted
        | Event::TeamMemberAdded
        | Event::TeamMemberUpdated => &[With(Can::TeamManage)],
        Event::TeamUpdated => &[With(Can::TeamManage), MarkOwningTeam],
        Event::TeamRetired => &[Right::Job(Job::RetireTeam)],
        Event::TeamMemberRemoved => &[With(Can::TeamManage), Leave],
        Event::InvitationCreated | Event::InvitationResent | Event::InvitationRevoked => {
            &[With(Can::InviteManage)]
        }
        Event::InvitationAccepted | Event::InvitationDeclined => &[AnswerInvitation],
        Event::InvitationCompleted => &[Right::Job(Job::CompleteInvitation)],
        Event::ProjectCreated => &[With(Can::ProjectCreate)],
        Event::ProjectUpdated => &[With(Can::ProjectEdit), With(Can::ProjectArchive)],
        Event::ProjectArchived | Event::ProjectUnarchived => &[With(Can::ProjectArchive)],
        Event::ProjectDeleted => &[With(Can::ProjectDelete)],
        Event::GrantCreated | Event::GrantUpdated => &[With(Can::GrantManage)],
        Event::GrantRevoked => &[
            With(Can::GrantManage),
            GiveUpGrant,
            Right::Job(Job::RetireTeam),
        ],
        Event::ArtifactCreated => &[With(Can::ArtifactCreate)],
        Event::ArtifactUpdated => &[With(Can::ArtifactEdit)],
        Event::ArtifactDeleted | Event::ArtifactRestored => &[With(Can::ArtifactDelete)],
        Event::VersionCreated | Event::VersionReissued | Event::VersionRestored => {
            &[With(Can::VersionCreate)]
        }
        Event::DerivedCreated | Event::DerivedReissued => &[With(Can::DerivedCreate)],
        Event::VersionUploadStarted | Event::DerivedUploadStarted => {
            &[Right::Job(Job::RecordUpload)]
        }
        Event::VersionVerifying | Event::VersionAvailable | Event::VersionRejected => {
            &[With(Can::VersionCreate), Right::Job(Job::CompleteUpload)]
        }
        Event::DerivedVerifying | Event::DerivedAvailable | Event::DerivedRejected => {
            &[With(Can::DerivedCreate), Right::Job(Job::CompleteUpload)]
        }
        Event::VersionExpired | Event::DerivedExpired => &[Right::Job(Job::ExpireUpload)],
        Event::MetadataAppended => &[With(Can::MetadataAppend)],
        Event::EventAppended => &[With(Can::EventAppend)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_needs_a_right_that_writes() {
        for event in EventType::ALL {
            let rights = rights_behind(*event);
            assert!(!rights.is_empty(), "{}", event.as_str());
            for right in rights {
                assert!(right.writes(), "{} with {right}", event.as_str());
            }
        }
    }

    #[test]
    fn every_capability_that_writes_stands_behind_an_event() {
        for capability in Capability::ALL {
            let right = Right::Capability(*capability);
            let mut events = EventType::ALL.iter();
            let used = events.any(|event| right.covers(*event));
            assert_eq!(used, right.writes(), "{capability}");
        }
    }
}
