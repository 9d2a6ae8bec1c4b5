//! The records of the application.

mod account;
mod artifact;
mod clock;
mod delivery;
mod derived;
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
mod record;
mod team;
mod user;
mod version;

pub use account::{Account, AccountKind, AccountStatus, RetiredTeam};
pub use artifact::{Artifact, CurrentVersion};
pub use clock::Clock;
pub use delivery::Delivery;
pub use derived::Derived;
pub use event::WriteEvent;
pub use family::Family;
pub use grant::{Grant, Principal, Revocation};
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
pub use record::{Author, Body, Corrupt, Record, Times};
pub use team::Team;
pub use user::User;
pub use version::{Content, ContentStatus, Version, VersionNumber};
