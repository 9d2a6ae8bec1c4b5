//! Stored records: envelope, families, and the hash chain of the journal.

mod account;
mod artifact;
pub mod chain;
mod claims;
mod clock;
pub mod cloud_event;
mod delivery;
mod derived;
mod envelope;
mod event;
mod family;
mod grant;
mod idempotency;
mod invitation;
mod journal;
mod link;
mod member;
mod metadata;
mod preferences;
mod project;
mod team;
mod user;
mod version;

pub use account::{Account, AccountKind, AccountStatus, RetiredTeam};
pub use artifact::{Artifact, CurrentVersion};
pub use claims::{Actor, Claims};
pub use clock::Clock;
pub use cloud_event::CloudEvent;
pub use delivery::Delivery;
pub use derived::Derived;
pub use envelope::{Author, Body, Corrupt, Record, Times};
pub use event::WriteEvent;
pub use family::Family;
pub use grant::{Grant, Revocation};
pub use idempotency::Idempotency;
pub use invitation::{Invitation, InvitationStatus, ProjectGrant};
pub use journal::{
    Change, EventType, Head, JournalEntry, PermissionFacts, Sequence, WORK_SHARDS, work_partition,
};
pub use link::{EmailLink, IdentityLink};
pub use member::{Member, MemberStatus, TeamMember};
pub use metadata::Metadata;
pub use preferences::{Channel, Preferences, Rule, RuleScope};
pub use project::{Project, Visibility};
pub use team::Team;
pub use user::User;
pub use version::{Content, ContentStatus, Version, VersionNumber};
