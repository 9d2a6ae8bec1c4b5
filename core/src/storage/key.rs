//! Keys: a scope and a sort key within it.

use alloc::{format, string::String};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{ObjectKind, Scope};
use crate::value::{
    ArtifactId, DerivedId, EventId, GrantId, InvitationId, MetadataId, Principal, Sha256,
    SurfaceId, TeamId, Timestamp, UserId, VersionId,
};

/// The sort key of an item.
///
/// The constructors below build a key from ids and numbers only. These contain no `#`, so a client
/// cannot forge a key. In a project, the records that permission decisions read sort under `#`, and
/// no others do. Numbers are padded to 20 digits, so that keys sort in numeric order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sort(String);

/// The full key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The partition.
    pub scope: Scope,
    /// The sort key within the partition.
    pub sort: Sort,
}

impl Scope {
    /// The full key with this sort key in this scope.
    #[must_use]
    pub fn key(self, sort: Sort) -> Key {
        Key { scope: self, sort }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.scope, self.sort)
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Sort {
    /// Prefix of the records that permission decisions read in a project, and of the head and
    /// account record of an account.
    pub const PERMISSION_PREFIX: &'static str = "#";
    /// Live grants of a project.
    pub const GRANTS: &'static str = "#GRANT#";
    /// Members of an account, each followed by the rows of their teams.
    pub const MEMBERS: &'static str = "MEMBER#";
    /// Teams of an account.
    pub const TEAMS: &'static str = "TEAM#";
    /// Invitations of an account.
    pub const INVITATIONS: &'static str = "INVITE#";
    /// Artifacts of a project.
    pub const ARTIFACTS: &'static str = "ARTIFACT#";
    /// Versions, derived outputs, metadata and events of the artifacts of a project.
    pub const DOCUMENTS: &'static str = "DOCUMENT#";
    /// Superseded states of permission records.
    pub const HISTORY: &'static str = "HISTORY#";
    /// Superseded states of an account.
    pub const ACCOUNT_HISTORY: &'static str = "HISTORY#ACCOUNT#";
    /// Superseded states of a project.
    pub const PROJECT_HISTORY: &'static str = "HISTORY#PROJECT#";
    /// Superseded states of the grants of a project.
    pub const GRANT_HISTORY: &'static str = "HISTORY#GRANT#";
    /// Revoked grants of a project.
    pub const REVOKED_GRANTS: &'static str = "HISTORY#REVOKED#";
    /// Journal entries.
    pub const JOURNAL: &'static str = "JOURNAL#";

    /// Wraps a sort key that was read from a database or from a cursor that this program signed.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// A key that sorts after all keys with this prefix, which ends with `#`.
    #[must_use]
    pub fn after_all(prefix: &str) -> Self {
        // `$` is the character after `#`.
        Self(format!("{}$", prefix.trim_end_matches('#')))
    }

    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The head of the scope's journal. It sorts before all other keys.
    #[must_use]
    pub fn head() -> Self {
        Self("#0HEAD".into())
    }

    /// A person's profile, in a user scope.
    #[must_use]
    pub fn user() -> Self {
        Self("#USER".into())
    }

    /// The link record, in an identity or email scope.
    #[must_use]
    pub fn link() -> Self {
        Self("#LINK".into())
    }

    /// The account record of an account scope.
    #[must_use]
    pub fn account() -> Self {
        Self("#ACCOUNT".into())
    }

    /// The project record of a project scope.
    #[must_use]
    pub fn project() -> Self {
        Self("#PROJECT".into())
    }

    /// The layout of the data of a surface, in the surface scope.
    #[must_use]
    pub fn layout() -> Self {
        Self("#LAYOUT".into())
    }

    /// A person's notification preferences, in a user scope.
    #[must_use]
    pub fn preferences() -> Self {
        Self("PREF#NOTIFICATIONS".into())
    }

    /// A member. As a prefix, this key also covers the rows of the person's teams.
    #[must_use]
    pub fn member(user: UserId) -> Self {
        Self(format!("{}{user}", Self::MEMBERS))
    }

    /// A person's membership in a team.
    #[must_use]
    pub fn team_member(user: UserId, team: TeamId) -> Self {
        Self(format!("{}{user}#TEAM#{team}", Self::MEMBERS))
    }

    /// The record of a team, in an account scope.
    #[must_use]
    pub fn team(team: TeamId) -> Self {
        Self(format!("{}{team}", Self::TEAMS))
    }

    /// The record of an invitation, in an account scope.
    #[must_use]
    pub fn invitation(invitation: InvitationId) -> Self {
        Self(format!("{}{invitation}", Self::INVITATIONS))
    }

    /// A live grant.
    #[must_use]
    pub fn grant(principal: Principal, grant: GrantId) -> Self {
        Self(format!("{}{}#{grant}", Self::GRANTS, principal.id_text()))
    }

    /// A revoked grant. The key is outside the range that decisions read and contains the grant id
    /// only.
    #[must_use]
    pub fn revoked_grant(grant: GrantId) -> Self {
        Self(format!("{}{grant}", Self::REVOKED_GRANTS))
    }

    /// The copy of a permission record that the commit with this number in the journal superseded.
    /// `history_key` is the sort key of the record without the leading `#`, or
    /// [`Sort::grant_history_key`] for a grant.
    ///
    /// Data format 1 has the version of the superseded state in place of the number. A record
    /// changes at most once a commit, so no key of format 1 equals one that is written later.
    #[must_use]
    pub fn superseded(history_key: &str, sequence: u64) -> Self {
        Self(format!(
            "{}{}#{sequence:020}",
            Self::HISTORY,
            history_key.trim_start_matches('#')
        ))
    }

    /// The history key of a grant, whether it was live or revoked.
    #[must_use]
    pub fn grant_history_key(grant: GrantId) -> String {
        format!("GRANT#{grant}")
    }

    /// The record of a document, in a project scope.
    #[must_use]
    pub fn artifact(artifact: ArtifactId) -> Self {
        Self(format!("{}{artifact}", Self::ARTIFACTS))
    }

    /// A raw version with this number. Records of data format 1 have no id in their key.
    #[must_use]
    pub fn version(artifact: ArtifactId, number: u32, version: VersionId) -> Self {
        let mut key = Self::versions(artifact, number);
        if !version.is_of_format_1(artifact) {
            key = format!("{key}#{version}");
        }
        Self(key)
    }

    /// The prefix of the raw versions with this number. Two surfaces can give one number to two
    /// versions.
    #[must_use]
    pub fn versions(artifact: ArtifactId, number: u32) -> String {
        format!("DOCUMENT#{artifact}#RAW#{number:020}")
    }

    /// A derived output.
    #[must_use]
    pub fn derived(artifact: ArtifactId, derived: DerivedId) -> Self {
        Self(format!("DOCUMENT#{artifact}#DERIVED#{derived}"))
    }

    /// A metadata record.
    #[must_use]
    pub fn metadata(artifact: ArtifactId, at: Timestamp, id: MetadataId) -> Self {
        Self(format!("DOCUMENT#{artifact}#META#{:020}#{id}", at.millis()))
    }

    /// A write event.
    #[must_use]
    pub fn event(artifact: ArtifactId, at: Timestamp, id: EventId) -> Self {
        Self(format!(
            "DOCUMENT#{artifact}#EVENT#{:020}#{id}",
            at.millis()
        ))
    }

    /// Whether this is the key of a journal entry.
    #[must_use]
    pub fn is_journal(&self) -> bool {
        self.0.starts_with(Self::JOURNAL)
    }

    /// The artifact and the object that a key names. `None` unless it is the key of a raw version
    /// or a derived output.
    #[must_use]
    pub fn content(&self) -> Option<(ArtifactId, ObjectKind)> {
        let (artifact, child) = self.0.strip_prefix("DOCUMENT#")?.split_once('#')?;
        let artifact = artifact.parse().ok()?;
        let kind = match child.split_once('#')? {
            ("RAW", id) => ObjectKind::Raw(match id.split_once('#') {
                Some((_, version)) => version.parse().ok()?,
                None => VersionId::of_format_1(artifact, id.parse().ok()?),
            }),
            ("DERIVED", derived) => ObjectKind::Derived(derived.parse().ok()?),
            _ => return None,
        };
        Some((artifact, kind))
    }

    /// The prefix of one kind of record of an artifact: `RAW`, `DERIVED`, `META` or `EVENT`.
    #[must_use]
    pub fn documents(artifact: ArtifactId, kind: &str) -> String {
        format!("DOCUMENT#{artifact}#{kind}#")
    }

    /// The record of a request with an idempotency key.
    #[must_use]
    pub fn idempotency(id: Sha256) -> Self {
        Self(format!("IDEM#{id}"))
    }

    /// The delivery claim of one notification to one recipient.
    #[must_use]
    pub fn delivery(id: Sha256) -> Self {
        Self(format!("IDEM#MAIL#{id}"))
    }

    /// A journal entry.
    #[must_use]
    pub fn journal(surface: SurfaceId, sequence: u64) -> Self {
        Self(format!("{}{surface}#{sequence:020}", Self::JOURNAL))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use ulid::Ulid;

    use super::*;
    use crate::value::id::Id;

    /// The name of each constructor, with a key that it builds.
    fn keys() -> Vec<(&'static str, Sort)> {
        fn id<T: Id>() -> T {
            T::from_ulid(Ulid::from_parts(1, 1))
        }
        let (user, artifact, now) = (id::<UserId>(), id(), Timestamp::from_millis(1));
        let digest = Sha256::of(b"");
        vec![
            ("head", Sort::head()),
            ("user", Sort::user()),
            ("link", Sort::link()),
            ("account", Sort::account()),
            ("project", Sort::project()),
            ("layout", Sort::layout()),
            ("preferences", Sort::preferences()),
            ("member", Sort::member(user)),
            ("team_member", Sort::team_member(user, id())),
            ("team", Sort::team(id())),
            ("invitation", Sort::invitation(id())),
            ("grant", Sort::grant(Principal::User(user), id())),
            ("revoked_grant", Sort::revoked_grant(id())),
            ("superseded", Sort::superseded("#PROJECT", 1)),
            ("artifact", Sort::artifact(artifact)),
            ("version", Sort::version(artifact, 1, id())),
            ("derived", Sort::derived(artifact, id())),
            ("metadata", Sort::metadata(artifact, now, id())),
            ("event", Sort::event(artifact, now, id())),
            ("idempotency", Sort::idempotency(digest)),
            ("delivery", Sort::delivery(digest)),
            ("journal", Sort::journal(SurfaceId::first(Ulid::nil()), 1)),
        ]
    }

    #[test]
    fn keys_lists_every_constructor() {
        let source = include_str!("key.rs").split("mod tests").next().unwrap();
        let constructors: Vec<&str> = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub fn "))
            .filter(|line| line.ends_with("-> Self {"))
            .filter_map(|line| line.split('(').next())
            .filter(|name| !["from_stored", "after_all"].contains(name))
            .collect();
        let listed: Vec<&str> = keys().into_iter().map(|(name, _)| name).collect();
        assert_eq!(listed, constructors);
    }

    #[test]
    fn case_24_permission_prefix_holds_only_what_decisions_read() {
        let permission_keys = keys()
            .into_iter()
            .filter(|(_, sort)| sort.as_str().starts_with(Sort::PERMISSION_PREFIX));
        let names: Vec<_> = permission_keys.map(|(name, _)| name).collect();
        // User, link, account and layout records have scopes of their own. All others are in a
        // project scope.
        let other_scopes = ["user", "link", "account", "layout"];
        let in_projects: Vec<_> = names
            .into_iter()
            .filter(|name| !other_scopes.contains(name))
            .collect();
        assert_eq!(in_projects, ["head", "project", "grant"]);
    }

    #[test]
    fn head_sorts_before_all_other_keys() {
        for (name, sort) in keys() {
            assert!(sort >= Sort::head(), "{name}");
        }
    }
}
