//! Who is calling.

use alloc::string::String;

use crate::{
    storage::Scope,
    value::{Email, Name, Sha256, UserId, id::Id},
};

/// What a verified token says, whatever provider issued it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The issuer, exactly as configured.
    pub issuer: String,
    /// The issuer's name for the person.
    pub subject: String,
    /// The client the token was issued to, where it says so.
    pub client: Option<String>,
    /// The address, only where the issuer calls it verified and its word counts here.
    pub verified_email: Option<Email>,
    /// The name.
    pub name: Option<Name>,
}

impl Claims {
    /// The digest this identity is known by. The same subject of two issuers is two.
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

/// Who acts in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub user: UserId,
    /// What their token says.
    pub claims: Claims,
}

impl Actor {
    /// The system itself: a user id that nobody has, which no record names and no decision favours.
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
