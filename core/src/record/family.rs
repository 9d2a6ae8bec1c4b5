//! Families of records.

use serde::{Deserialize, Serialize};

/// The kind of record in an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each variant is documented by the type of the same name"
)]
pub enum Family {
    User,
    IdentityLink,
    EmailLink,
    Account,
    Member,
    Team,
    TeamMember,
    Invitation,
    Project,
    Grant,
    Artifact,
    Version,
    Derived,
    Metadata,
    WriteEvent,
    Preferences,
    Idempotency,
    Delivery,
    Head,
    JournalEntry,
    Layout,
}
