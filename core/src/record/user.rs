use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Body, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{Email, Name, Sha256, UserId},
};

/// A person. One record per human, for all identities with which the person signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name from the identity provider, if it gives one.
    pub name: Option<Name>,
    /// The e-mail address, if an issuer that the surface trusts for addresses marked it as
    /// verified.
    pub email: Option<Email>,
    /// The identities with which the person signs in, including the first. Each is the digest of
    /// issuer and subject, see [`Claims::scope`](crate::record::Claims::scope).
    pub identities: Vec<Sha256>,
    /// A random value. It keeps the checksum in the journal from revealing name and e-mail address.
    pub salt: Sha256,
}

impl User {
    /// The maximum number of identities of a person.
    pub const IDENTITIES: usize = 10;
}

impl Body for User {
    const FAMILY: Family = Family::User;
    type Id = UserId;

    fn key(&self, id: &UserId) -> Key {
        Scope::User(*id).key(Sort::user())
    }
}
