use alloc::{collections::BTreeSet, string::String, vec, vec::Vec};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Body, Claims, Family};
use crate::{
    storage::{Key, Scope, Sort},
    value::{Email, Invalid, Name, Sha256, Timestamp, UserId},
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
    /// The identity whose tokens gave name and e-mail address. Unknown for some people of format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_identity: Option<Sha256>,
    /// The identities with which the person signs in, including the first, sorted by digest.
    pub identities: Vec<Identity>,
    /// The digests of identities that were unlinked. They stay listed, so that no other surface
    /// brings them back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<Sha256>,
    /// The time at which the personal data of the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    /// A random value. It keeps the checksum in the journal from revealing name and e-mail address.
    pub salt: Sha256,
}

/// An identity of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The digest of issuer and subject: see [`Claims::digest`].
    pub digest: Sha256,
    /// The issuer. Unknown for identities of format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The time at which the identity was linked. Unknown for identities of format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_at: Option<Timestamp>,
}

impl Identity {
    fn new(claims: &Claims, linked_at: Timestamp) -> Self {
        Self {
            digest: claims.digest(),
            issuer: Some(claims.issuer.clone()),
            linked_at: Some(linked_at),
        }
    }
}

impl User {
    /// The maximum number of identities of a person.
    pub const IDENTITIES: usize = 10;

    /// The person who signs in for the first time with these claims.
    #[must_use]
    pub fn new(claims: &Claims, now: Timestamp, salt: Sha256) -> Self {
        Self {
            name: claims.name.clone(),
            email: claims.verified_email.clone(),
            profile_identity: Some(claims.digest()),
            identities: vec![Identity::new(claims, now)],
            removed: BTreeSet::new(),
            erased_at: None,
            salt,
        }
    }

    /// Whether the person signs in with the identity of these claims.
    #[must_use]
    pub fn has_identity(&self, claims: &Claims) -> bool {
        let digest = claims.digest();
        let mut identities = self.identities.iter();
        identities.any(|identity| identity.digest == digest)
    }

    /// Adds the identity of these claims, which the person does not have yet.
    pub fn link(&mut self, claims: &Claims, now: Timestamp) {
        let identity = Identity::new(claims, now);
        self.removed.remove(&identity.digest);
        self.identities.push(identity);
        self.identities.sort_by_key(|identity| identity.digest);
    }
}

impl Body for User {
    const FAMILY: Family = Family::User;
    const SCHEMA: u16 = 2;
    type Id = UserId;

    fn key(&self, id: &UserId) -> Key {
        Scope::User(*id).key(Sort::user())
    }

    /// In format 1, `identities` was a list of digests. The profile of a person with one identity
    /// came from it.
    fn upgrade(_: u16, id: &str, mut body: Value) -> Result<(String, Value), Invalid> {
        const WRONG: Invalid = Invalid("must be a person of format 1");
        let members = body.as_object_mut().ok_or(WRONG)?;
        let identities = members.remove("identities").ok_or(WRONG)?;
        let digests: BTreeSet<Sha256> = serde_json::from_value(identities).map_err(|_| WRONG)?;
        if digests.len() == 1 {
            members.insert("profile_identity".into(), json!(digests.first()));
        }
        let identities = digests.iter().map(|digest| json!({ "digest": digest }));
        members.insert("identities".into(), identities.collect());
        Ok((id.into(), body))
    }
}
