//! Rights, and the event types that they allow.

use core::fmt;

use crate::{
    record::EventType,
    value::{Capabilities, Capability},
};

/// The right that a permit gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// A capability that the author has in the scope.
    Capability(Capability),
    /// Writing one's own profile and preferences.
    OwnProfile,
    /// Creating an account.
    NewAccount,
    /// Answering an invitation to one's own e-mail address.
    AnswerInvitation,
    /// Leaving an account or a team.
    Leave,
    /// Giving up one's own grant.
    GiveUpGrant,
    /// Marking in the account that a team may own projects.
    MarkOwningTeam,
    /// A job of the system.
    Job(Job),
    /// Writing the records that a test sets up.
    #[cfg(test)]
    Fixture,
}

/// A job of the system. It finishes a decision of a person, or closes expired work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Recording the provider's id of an upload in parts.
    RecordUpload,
    /// Completing an upload whose object arrived.
    CompleteUpload,
    /// Expiring an upload after its time.
    ExpireUpload,
    /// Closing an accepted invitation after its grants were made.
    CompleteInvitation,
    /// Marking the rows and grants of a deleted team.
    RetireTeam,
}

/// Capabilities that allow no writes.
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

    /// Whether this right allows a commit with this event type.
    pub(super) fn covers(self, event: EventType) -> bool {
        #[cfg(test)]
        if self == Self::Fixture {
            return true;
        }
        sufficient_rights(event).contains(&self)
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

/// The rights of which a commit with this event type needs one.
fn sufficient_rights(event: EventType) -> &'static [Right] {
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
            let rights = sufficient_rights(*event);
            assert!(!rights.is_empty(), "{}", event.as_str());
            for right in rights {
                assert!(right.writes(), "{} with {right}", event.as_str());
            }
        }
    }

    #[test]
    fn every_capability_that_writes_suffices_for_an_event() {
        for capability in Capability::ALL {
            let right = Right::Capability(*capability);
            let mut events = EventType::ALL.iter();
            let used = events.any(|event| right.covers(*event));
            assert_eq!(used, right.writes(), "{capability}");
        }
    }
}
