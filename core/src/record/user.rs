use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{Email, Name, Sha256, UserId},
};

/// A person: one per human, whatever identities they sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name the identity provider gave, if any.
    pub name: Option<Name>,
    /// The address, once an issuer whose word counts called it verified.
    pub email: Option<Email>,
    /// The identities this person signs in with, the first one included, as digests of issuer and
    /// subject: what [`Claims::scope`](crate::record::Claims::scope) files their links under.
    pub identities: Vec<Sha256>,
    /// Random, so that the checksum in the journal tells nothing about name and address.
    pub salt: Sha256,
}

impl User {
    /// The most identities one person may sign in with.
    pub const IDENTITIES: usize = 10;
}

impl Body for User {
    const FAMILY: Family = Family::User;
    type Id = UserId;

    fn key(&self, id: &UserId) -> Key {
        Scope::User(*id).key(Sort::user())
    }
}
