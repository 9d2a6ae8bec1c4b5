use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{Sha256, Timestamp},
};

/// The effect of a request with an idempotency key, so that a repeated request gets the same
/// answer.
///
/// It holds the keys of the records in the answer, but no e-mail address and no token. A repeated
/// request builds the answer again, after a new permission check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// The scope that contains the record.
    pub scope: Scope,
    /// The digest of the request body. A repeated request with another body is refused.
    pub fingerprint: Sha256,
    /// The status of the answer.
    pub status: u16,
    /// The records that the answer shows.
    pub records: Vec<Key>,
    /// The time after which the key can be used for another request.
    pub expires_at: Timestamp,
}

impl Body for Idempotency {
    const FAMILY: Family = Family::Idempotency;
    /// The keyed hash of actor, route and key.
    type Id = Sha256;

    fn key(&self, id: &Sha256) -> Key {
        self.scope.key(Sort::idempotency(*id))
    }

    fn garbage_after(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
