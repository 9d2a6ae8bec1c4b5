//! The families of records.

use serde::{Deserialize, Serialize};

/// What kind of record an envelope holds.
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
}
