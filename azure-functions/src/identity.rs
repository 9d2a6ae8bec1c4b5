//! Whose tokens count: those of one Entra External ID tenant, read against the tenant's own keys.

use wm_service::{
    identity::Issuer,
    ports::{KeySource, PortError, PortErrorKind},
};

use crate::{
    config::{Config, Entra},
    sdk::Sdk,
};

/// The rules for a tenant's tokens.
#[must_use]
pub fn issuer(entra: &Entra) -> Issuer {
    Issuer {
        issuer: entra.issuer.clone(),
        jwks_url: entra.discovery_url.clone(),
        access: Vec::new(),
        id: Vec::new(),
        trusts_email: entra.trusts_email,
    }
}

/// Keys over HTTPS. No redirect is followed.
#[derive(Debug)]
pub struct EntraKeys;

impl EntraKeys {
    /// A source for the configured tenant.
    #[must_use]
    pub fn new(_: &Sdk, _: &Config) -> Self {
        Self
    }
}

impl KeySource for EntraKeys {
    async fn fetch(&self, _: &str) -> Result<Vec<u8>, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "not there yet"))
    }
}
