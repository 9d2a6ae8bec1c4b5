use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{Sha256, UserId},
};

/// The link from one issuer's subject to a person. It is created once and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityLink {
    /// The person.
    pub user_id: UserId,
}

impl Body for IdentityLink {
    const FAMILY: Family = Family::IdentityLink;
    /// SHA-256 over issuer and subject.
    type Id = Sha256;

    fn key(&self, id: &Sha256) -> Key {
        Scope::Identity(*id).key(Sort::link())
    }
}

/// The link from a verified e-mail address to the first person who proved it. It is created once
/// and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailLink {
    /// The person.
    pub user_id: UserId,
}

impl Body for EmailLink {
    const FAMILY: Family = Family::EmailLink;
    /// The surface's keyed hash of the e-mail address.
    type Id = Sha256;

    fn key(&self, id: &Sha256) -> Key {
        Scope::Email(*id).key(Sort::link())
    }
}
