use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{Sha256, Timestamp},
};

/// What a request with an idempotency key did, so that a repetition answers the same.
///
/// It holds the keys of the records it made, never an address or a token: the answer is built anew,
/// after the caller's authority was checked anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// The scope it stands in.
    pub scope: Scope,
    /// The digest of the request body: another body under the same key is refused.
    pub fingerprint: Sha256,
    /// The status that was answered.
    pub status: u16,
    /// The records the answer shows.
    pub records: Vec<Key>,
    /// From then on the key may be used anew.
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
