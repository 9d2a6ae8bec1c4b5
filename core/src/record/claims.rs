//! The identity of the caller.

use alloc::string::String;

use crate::{
    storage::Scope,
    value::{Email, Name, Sha256, UserId, id::Id},
};

/// The claims of a verified token, independent of the identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The issuer, exactly as configured.
    pub issuer: String,
    /// The issuer's identifier for the person.
    pub subject: String,
    /// The client that the token was issued to, if the token names it.
    pub client: Option<String>,
    /// The e-mail address. Set only if the issuer marks it as verified and the surface trusts that
    /// issuer for addresses.
    pub verified_email: Option<Email>,
    /// The display name.
    pub name: Option<Name>,
}

impl Claims {
    /// The digest that identifies this identity. The same subject of two issuers gives two digests.
    #[must_use]
    pub fn digest(&self) -> Sha256 {
        let parts = [self.issuer.as_bytes(), self.subject.as_bytes()];
        Sha256::keyed(b"identity", &parts)
    }

    /// The scope of the link from this identity to a person.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::Identity(self.digest())
    }
}

/// The person on whose behalf a request runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub user: UserId,
    /// The claims of the person's token.
    pub claims: Claims,
}

impl Actor {
    /// The system itself. Its user id belongs to no person, appears in no record and has no access.
    #[must_use]
    pub fn system() -> Self {
        let claims = Claims {
            issuer: String::new(),
            subject: String::new(),
            client: None,
            verified_email: None,
            name: None,
        };
        Self {
            user: UserId::from_ulid(ulid::Ulid::nil()),
            claims,
        }
    }
}
