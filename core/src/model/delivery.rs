use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{RequestId, Sha256, Timestamp},
};

/// The mark that one notification went, or is going, to one recipient: the same event sends once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The scope it stands in.
    pub scope: Scope,
    /// Whether it went. Until then another attempt may take over once `claimed_until` is past.
    pub sent: bool,
    /// Which attempt has it, so that no two of them write the same mark, even at the same instant: each
    /// would take the other's for its own.
    pub claimed_by: RequestId,
    /// Until when that attempt has it to itself.
    pub claimed_until: Timestamp,
    /// When the mark may be forgotten.
    pub expires_at: Timestamp,
}

impl Body for Delivery {
    const FAMILY: Family = Family::Delivery;
    /// The digest of event id and recipient.
    type Id = Sha256;

    fn key(&self, id: &Sha256) -> Key {
        self.scope.key(Sort::delivery(*id))
    }

    fn garbage_after(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
