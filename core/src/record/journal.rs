use alloc::{format, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Author, Body, Family, envelope::Times};
use crate::{
    storage::{Index, IndexKey, IndexKeys, Key, Scope, Sort},
    value::{CommitId, Invalid, Principal, RequestId, Sha256, SurfaceId, Timestamp, canonical},
};

/// The end of a scope's journal. Every commit rewrites it under the condition that it is as read,
/// which is what orders commits in a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The scope.
    pub scope: Scope,
    /// The surface that wrote the last entry.
    pub surface: SurfaceId,
    /// The number of the last entry.
    pub seq: u64,
    /// Its hash.
    pub hash: Sha256,
    /// Its time, which the next entry's is never before.
    pub at: Timestamp,
}

impl Body for Head {
    const FAMILY: Family = Family::Head;
    type Id = Scope;

    fn key(&self, id: &Scope) -> Key {
        id.key(Sort::head())
    }
}

/// One commit, as the journal remembers it: what changed, who did it, when, and the hash of the
/// entry before. It names records by key and holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    /// The scope.
    pub scope: Scope,
    /// The surface that committed.
    pub surface: SurfaceId,
    /// 1, 2, … without a gap.
    pub seq: u64,
    /// The hash of entry `seq - 1`; for the first one, 32 zero bytes.
    pub previous: Sha256,
    /// When: never before the entry before.
    pub at: Timestamp,
    /// Who.
    pub actor: Author,
    /// In which request.
    pub request_id: RequestId,
    /// In which commit.
    pub commit_id: CommitId,
    /// What happened.
    pub event: EventType,
    /// What changed.
    pub changes: Vec<Change>,
}

/// One changed record in a journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The sort key.
    pub key: String,
    /// The family.
    #[schemars(with = "String")]
    pub family: Family,
    /// The id.
    pub id: String,
    /// The version after the change.
    pub version: u64,
    /// The checksum after the change.
    pub checksum: Sha256,
    /// Whether it is marked deleted.
    pub deleted: bool,
    /// What matters of a permission record.
    #[serde(flatten)]
    pub permission: PermissionFacts,
}

/// What the journal notes of a permission record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PermissionFacts {
    /// The role; of a project its visibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whom a grant is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Its status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl JournalEntry {
    /// What the entry after the last one of no journal names as its predecessor.
    pub const GENESIS: Sha256 = Sha256::from_bytes([0; 32]);

    /// The hash the next entry names: SHA-256 over the canonical text of this one.
    #[must_use]
    pub fn hash(&self) -> Sha256 {
        canonical::checksum(&canonical::to_value(self))
    }
}

impl Body for JournalEntry {
    const FAMILY: Family = Family::JournalEntry;
    /// The sequence number.
    type Id = Sequence;

    fn key(&self, id: &Sequence) -> Key {
        self.scope.key(Sort::journal(self.surface, id.0))
    }

    /// An entry is unfinished work until it is published; the relay then stores it without this row.
    fn index(&self, id: &Sequence, _: &Times) -> IndexKeys {
        let mut index = IndexKeys::default();
        Index::Gsi1.put(&mut index, work(&self.key(id), self.at));
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

/// How many index partitions unfinished work is spread over, so that no single one is hot.
pub const WORK_SHARDS: u8 = 4;

/// The index partition of one shard of unfinished work.
#[must_use]
pub fn work_partition(shard: u8) -> String {
    format!("WORK#{shard}")
}

/// The index row of unfinished work: by due time, spread by key.
pub(crate) fn work(key: &Key, due: Timestamp) -> IndexKey {
    let (scope, sort) = (key.scope, &key.sort);
    let text = format!("{scope} {sort}");
    let digest = Sha256::of(text.as_bytes());
    let shard = digest.as_bytes().first().copied().unwrap_or_default() % WORK_SHARDS;
    IndexKey {
        partition: work_partition(shard),
        sort: format!("{:020}#{text}", due.millis()),
    }
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What happened in a commit; also the type of the published event, behind `wm.`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum EventType {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl EventType {
            /// Every event type.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in records, events and preferences.
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
    /// Someone signed in for the first time.
    UserCreated = "user.created";
    /// A person's name or verified address changed.
    UserUpdated = "user.updated";
    /// A second identity was linked to a person.
    IdentityLinked = "identity.linked";
    /// A person's notification preferences changed.
    PreferencesUpdated = "preferences.updated";
    /// An account was created.
    AccountCreated = "account.created";
    /// An account was renamed.
    AccountUpdated = "account.updated";
    /// An account was closed.
    AccountClosed = "account.closed";
    /// A member's role or status changed.
    MemberUpdated = "member.updated";
    /// A member was removed or left.
    MemberRemoved = "member.removed";
    /// A team was created.
    TeamCreated = "team.created";
    /// A team was changed.
    TeamUpdated = "team.updated";
    /// A team was deleted: its grants confer nothing from here on.
    TeamDeleted = "team.deleted";
    /// A deleted team's rows were marked.
    TeamRetired = "team.retired";
    /// Someone joined a team.
    TeamMemberAdded = "team_member.added";
    /// Someone's role in a team changed.
    TeamMemberUpdated = "team_member.updated";
    /// Someone left a team or was removed from it.
    TeamMemberRemoved = "team_member.removed";
    /// An invitation was made.
    InvitationCreated = "invitation.created";
    /// An invitation was sent again; earlier tokens are dead.
    InvitationResent = "invitation.resent";
    /// An invitation was taken back.
    InvitationRevoked = "invitation.revoked";
    /// An invitation was accepted: someone joined the account.
    InvitationAccepted = "invitation.accepted";
    /// An invitation was declined.
    InvitationDeclined = "invitation.declined";
    /// The grants of an accepted invitation were made.
    InvitationCompleted = "invitation.completed";
    /// A project was created.
    ProjectCreated = "project.created";
    /// A project was changed.
    ProjectUpdated = "project.updated";
    /// A project was archived: it is read-only.
    ProjectArchived = "project.archived";
    /// A project was taken out of the archive.
    ProjectUnarchived = "project.unarchived";
    /// A project was deleted.
    ProjectDeleted = "project.deleted";
    /// A grant was made.
    GrantCreated = "grant.created";
    /// A grant's role or expiry changed.
    GrantUpdated = "grant.updated";
    /// A grant was revoked.
    GrantRevoked = "grant.revoked";
    /// An artifact was created.
    ArtifactCreated = "artifact.created";
    /// An artifact's name or labels changed.
    ArtifactUpdated = "artifact.updated";
    /// An artifact was deleted.
    ArtifactDeleted = "artifact.deleted";
    /// A deleted artifact was brought back.
    ArtifactRestored = "artifact.restored";
    /// A version was declared.
    VersionCreated = "version.created";
    /// The upload of a large version in parts was begun.
    VersionUploadStarted = "version.upload_started";
    /// A version's upload plan was issued again.
    VersionReissued = "version.reissued";
    /// A large version's bytes arrived and are being verified.
    VersionVerifying = "version.verifying";
    /// A version was verified and can be downloaded.
    VersionAvailable = "version.available";
    /// A version's bytes were not the declared ones.
    VersionRejected = "version.rejected";
    /// A version's bytes did not come in time.
    VersionExpired = "version.expired";
    /// An old version was made the current one again, as a new version.
    VersionRestored = "version.restored";
    /// A derived output was declared.
    DerivedCreated = "derived.created";
    /// The upload of a large derived output in parts was begun.
    DerivedUploadStarted = "derived.upload_started";
    /// A derived output's upload plan was issued again.
    DerivedReissued = "derived.reissued";
    /// A large derived output's bytes arrived and are being verified.
    DerivedVerifying = "derived.verifying";
    /// A derived output was verified and can be downloaded.
    DerivedAvailable = "derived.available";
    /// A derived output's bytes were not the declared ones.
    DerivedRejected = "derived.rejected";
    /// A derived output's bytes did not come in time.
    DerivedExpired = "derived.expired";
    /// A metadata record was appended.
    MetadataAppended = "metadata.appended";
    /// A write event was appended.
    EventAppended = "event.appended";
}
