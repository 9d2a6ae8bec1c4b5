use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Author, Body, Clock, Counting, Family, IndexContext, Record, Usage, usage::Counters};
use crate::{
    storage::{IndexKeys, Key, Scope, Sort, Work},
    value::{CommitId, Invalid, Principal, RequestId, Sha256, SurfaceId, Timestamp, canonical},
};

/// The end of a scope's journal. Every commit overwrites it on the condition that it has not
/// changed, so commits in one scope follow one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Head {
    pub scope: Scope,
    /// The surface that wrote the last entry.
    pub surface: SurfaceId,
    /// The number of the last entry.
    pub seq: u64,
    /// The hash of the last entry.
    pub hash: Sha256,
    /// The time of the last entry. The time of the next entry is not before it.
    pub at: Timestamp,
    /// What the scope holds. Unknown for a scope of format 1 until it is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The count of the scope that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Counting>,
    /// The end of the last count. Unknown until the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<Timestamp>,
    /// What the projects of an account held in total when the sweep last added them up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Usage>,
}

impl Head {
    /// The head after this entry.
    pub(crate) fn after(entry: &JournalEntry, counters: Counters) -> Self {
        Self {
            scope: entry.scope,
            surface: entry.surface,
            seq: entry.seq,
            hash: entry.hash(),
            at: entry.at,
            usage: counters.usage,
            counting: counters.counting,
            counted_at: counters.counted_at,
            projects: counters.projects,
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            usage: self.usage,
            counting: self.counting.clone(),
            counted_at: self.counted_at,
            projects: self.projects,
        }
    }
}

impl Body for Head {
    const FAMILY: Family = Family::Head;
    const SCHEMA: u16 = 2;
    type Id = Scope;

    fn key(&self, id: &Scope) -> Key {
        id.key(Sort::head())
    }
}

/// One commit in the journal: its changes, author and time, and the hash of the previous entry. It
/// names records by key and contains no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct JournalEntry {
    pub scope: Scope,
    /// The surface that made the commit.
    pub surface: SurfaceId,
    /// The number of the entry: 1, 2, … without a gap.
    pub seq: u64,
    /// The hash of entry `seq - 1`. For the first entry, 32 zero bytes.
    pub previous: Sha256,
    /// The time of the commit, not before the time of the previous entry.
    pub at: Timestamp,
    /// The clock of the surface at the commit, if it differs from `at` because the clock went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Timestamp>,
    /// The commit of another surface that this commit applied. Absent for commits of callers and
    /// jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    pub actor: Author,
    /// The request that caused the commit.
    pub request_id: RequestId,
    /// Identifies the commit after a lost answer of the database.
    pub commit_id: CommitId,
    pub event: EventType,
    /// The changed records.
    pub changes: Vec<Change>,
}

/// A range of another surface's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The surface that made the changes.
    pub surface: SurfaceId,
    /// The number of the first entry.
    pub from: u64,
    /// The number of the last entry.
    pub to: u64,
    /// The digest of the page that carried the changes.
    pub page: Sha256,
}

/// One changed record in a journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The sort key of the record.
    pub key: String,
    /// The family of the record.
    #[schemars(with = "String")]
    pub family: Family,
    /// The id of the record.
    pub id: String,
    /// The version after the change.
    pub version: u64,
    /// The checksum after the change.
    pub checksum: Sha256,
    /// Whether the record is marked as deleted.
    pub deleted: bool,
    /// Details of a change to permissions. Empty for other records.
    #[serde(flatten)]
    pub permission: PermissionFacts,
}

/// Details of a change to permissions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PermissionFacts {
    /// The role. For a project, its visibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The receiver of a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// The expiry of a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The status of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl JournalEntry {
    /// The previous hash of the first entry.
    pub const GENESIS: Sha256 = Sha256::from_bytes([0; 32]);

    /// The hash that the next entry names: SHA-256 over the canonical text of this entry.
    #[must_use]
    pub fn hash(&self) -> Sha256 {
        canonical::checksum(&canonical::to_value(self))
    }

    /// The record of this entry. It is written once, so the entry determines the whole envelope.
    #[must_use]
    pub fn into_record(self) -> Record<Self> {
        let clock = Clock::default().advanced(self.surface);
        let (id, at, actor) = (Sequence(self.seq), self.at, self.actor);
        Record::new(id, self, clock, at, actor)
    }
}

impl Body for JournalEntry {
    const FAMILY: Family = Family::JournalEntry;
    /// The sequence number of the entry.
    type Id = Sequence;

    fn key(&self, id: &Sequence) -> Key {
        self.scope.key(Sort::journal(self.surface, id.0))
    }

    /// An entry is unfinished work until it is published. Then the relay stores it without this
    /// index row.
    fn index(&self, id: &Sequence, context: &IndexContext) -> IndexKeys {
        let mut index = IndexKeys::default();
        let key = self.key(id);
        let due = self.applied_at.unwrap_or(self.at);
        context
            .work
            .row(Work::Outbox, &key)
            .put_at(&mut index, due, &key);
        index
    }
}

/// The number of a journal entry in its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(pub u64);

impl fmt::Display for Sequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Sequence {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse()
            .map(Self)
            .map_err(|_| Invalid("must be a sequence number"))
    }
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The kind of change that a commit made. Published events use it with the prefix `wm.`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum EventType {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl EventType {
            /// Every event type.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The value in records, events and preferences.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

event_types! {
    /// A person signed in for the first time.
    UserCreated = "user.created";
    /// A person's name or verified e-mail address changed.
    UserUpdated = "user.updated";
    /// A second identity was linked to a person.
    IdentityLinked = "identity.linked";
    /// A person's notification preferences changed.
    PreferencesUpdated = "preferences.updated";
    /// An account was created.
    AccountCreated = "account.created";
    /// An account was renamed.
    AccountUpdated = "account.updated";
    /// An owner closed the account.
    AccountClosed = "account.closed";
    /// A member's role or status changed.
    MemberUpdated = "member.updated";
    /// A member was removed or left.
    MemberRemoved = "member.removed";
    /// A team was created.
    TeamCreated = "team.created";
    /// A team was changed.
    TeamUpdated = "team.updated";
    /// A team was deleted. Its grants confer nothing from then on.
    TeamDeleted = "team.deleted";
    /// The rows and grants of a deleted team were marked.
    TeamRetired = "team.retired";
    /// A person joined a team.
    TeamMemberAdded = "team_member.added";
    /// A person's role in a team changed.
    TeamMemberUpdated = "team_member.updated";
    /// A person left a team or was removed from it.
    TeamMemberRemoved = "team_member.removed";
    /// An invitation was created.
    InvitationCreated = "invitation.created";
    /// An invitation was sent again. Earlier tokens are no longer accepted.
    InvitationResent = "invitation.resent";
    /// An invitation was revoked.
    InvitationRevoked = "invitation.revoked";
    /// An invitation was accepted. The person joined the account.
    InvitationAccepted = "invitation.accepted";
    /// An invitation was declined.
    InvitationDeclined = "invitation.declined";
    /// The grants of an accepted invitation were created.
    InvitationCompleted = "invitation.completed";
    /// A project was created.
    ProjectCreated = "project.created";
    /// A project was changed.
    ProjectUpdated = "project.updated";
    /// A project was archived. It is read-only.
    ProjectArchived = "project.archived";
    /// A project was unarchived.
    ProjectUnarchived = "project.unarchived";
    /// A project was deleted.
    ProjectDeleted = "project.deleted";
    /// A grant was created.
    GrantCreated = "grant.created";
    /// A grant's role or expiry changed.
    GrantUpdated = "grant.updated";
    /// A grant was revoked.
    GrantRevoked = "grant.revoked";
    /// A document was created.
    ArtifactCreated = "artifact.created";
    /// A document's name or labels changed.
    ArtifactUpdated = "artifact.updated";
    /// A document was deleted.
    ArtifactDeleted = "artifact.deleted";
    /// A deleted document was restored.
    ArtifactRestored = "artifact.restored";
    /// A version was declared.
    VersionCreated = "version.created";
    /// The upload of a large version in parts began.
    VersionUploadStarted = "version.upload_started";
    /// The upload plan of a version was issued again.
    VersionReissued = "version.reissued";
    /// The bytes of a large version arrived. Verification runs.
    VersionVerifying = "version.verifying";
    /// A version was verified and is available for download.
    VersionAvailable = "version.available";
    /// The bytes of a version differ from the declaration.
    VersionRejected = "version.rejected";
    /// The bytes of a version did not arrive in time.
    VersionExpired = "version.expired";
    /// An earlier version was restored as a new version.
    VersionRestored = "version.restored";
    /// A derived output was declared.
    DerivedCreated = "derived.created";
    /// The upload of a large derived output in parts began.
    DerivedUploadStarted = "derived.upload_started";
    /// The upload plan of a derived output was issued again.
    DerivedReissued = "derived.reissued";
    /// The bytes of a large derived output arrived. Verification runs.
    DerivedVerifying = "derived.verifying";
    /// A derived output was verified and is available for download.
    DerivedAvailable = "derived.available";
    /// The bytes of a derived output differ from the declaration.
    DerivedRejected = "derived.rejected";
    /// The bytes of a derived output did not arrive in time.
    DerivedExpired = "derived.expired";
    /// A metadata record was appended.
    MetadataAppended = "metadata.appended";
    /// A write event was appended.
    EventAppended = "event.appended";
}
