//! Whose tokens count: those of one Entra External ID tenant, read against the tenant's own keys.

use std::time::Duration;

use serde::Deserialize;
use wm_core::http::Request;
use wm_service::{
    identity::{ClaimNames, Issuer, Requirement},
    ports::{KeySource, PortError, PortErrorKind},
};

use crate::{
    config::{Config, Entra},
    sdk::{Sdk, within},
};

/// How long the tenant may take for both answers together.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const LIMIT: usize = 256 * 1024;

/// The header in which App Service's own authentication hands a caller's access token on
/// (<https://learn.microsoft.com/azure/app-service/configure-authentication-oauth-tokens>). What it
/// says of the caller in `X-MS-CLIENT-PRINCIPAL` and its kin is signed by nobody, and never read.
const EASY_AUTH_TOKEN: &str = "x-ms-token-aad-access-token";

/// The rules for a tenant's tokens of version 2.
///
/// Access tokens are for an API (`aud`), come from a client (`azp`) and say what was consented to
/// (`scp`), which tokens of an application without a person do not
/// (<https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>). ID tokens
/// are for a client (`aud`) and have neither of the others
/// (<https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>). `sub` differs from
/// one application to the next, so a person is known by `oid`, which is one in the whole tenant.
/// Groups and roles are not read: nothing in a token confers rights here.
#[must_use]
pub fn issuer(entra: &Entra) -> Issuer {
    let clients = |claim: &str| Requirement::one_of(claim, entra.clients.clone());
    let both = || {
        vec![
            clients("aud"),
            Requirement::new("tid", &entra.tenant),
            Requirement::new("ver", "2.0"),
            Requirement::present("sub"),
        ]
    };
    let (mut access, mut id) = (both(), both());
    access.extend([clients("azp"), Requirement::present("scp")]);
    id.extend(["azp", "scp"].map(Requirement::absent));
    Issuer {
        issuer: entra.issuer.clone(),
        jwks_url: entra.discovery_url.clone(),
        access,
        id,
        trusts_email: entra.trusts_email,
        names: ClaimNames {
            subject: "oid",
            // Whether the address is its owner's: an optional claim
            // (https://learn.microsoft.com/entra/identity-platform/optional-claims-reference).
            email_verified: "xms_edov",
        },
    }
}

/// Takes a token that App Service's own authentication forwarded for one the caller sent, where the
/// configuration says so ([`Config::easy_auth`]) and the caller sent none. It is verified like any other.
pub fn take_easy_auth_token(easy_auth: bool, request: &mut Request) {
    if !easy_auth || request.header("authorization").is_some() {
        return;
    }
    let forwarded = request.header(EASY_AUTH_TOKEN);
    // App Service replaces what a caller sends; two of them, which a comma parts, mean that it did not.
    if let Some(token) = forwarded.filter(|token| !token.contains(',')) {
        let value = format!("Bearer {token}");
        request.headers.push(("authorization".to_owned(), value));
    }
}

/// Keys over HTTPS, by way of the tenant's discovery document
/// (<https://openid.net/specs/openid-connect-discovery-1_0.html>). No redirect is followed.
#[derive(Debug)]
pub struct EntraKeys {
    http: reqwest::Client,
    issuer: String,
}

/// What counts of a discovery document.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

impl EntraKeys {
    /// A source for the configured tenant.
    #[must_use]
    pub fn new(sdk: &Sdk, config: &Config) -> Self {
        Self {
            http: sdk.http.clone(),
            issuer: config.entra.issuer.clone(),
        }
    }
}

impl KeySource for EntraKeys {
    /// The keys that the discovery document at this address names.
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, PortError> {
        within(TIMEOUT, self.discover(url)).await
    }
}

impl EntraKeys {
    async fn discover(&self, url: &str) -> Result<Vec<u8>, PortError> {
        let document = self.read(url).await?;
        let found: Discovered = serde_json::from_slice(&document).map_err(unavailable)?;
        if found.issuer != self.issuer {
            return Err(unavailable(
                "the discovery document is another issuer's: see that `AZURE_ENTRA_ISSUER` says what it says",
            ));
        }
        if !found.jwks_uri.starts_with("https://") && !same_origin(&found.jwks_uri, url) {
            return Err(unavailable(
                "the discovery document names keys that anybody could put there",
            ));
        }
        self.read(&found.jwks_uri).await
    }

    async fn read(&self, url: &str) -> Result<Vec<u8>, PortError> {
        let mut answer = self.http.get(url).send().await.map_err(unavailable)?;
        if answer.status().as_u16() != 200 {
            let status = answer.status();
            return Err(unavailable(format!("the issuer answered {status}")));
        }
        let mut read = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unavailable)? {
            read.extend_from_slice(&piece);
            if read.len() > LIMIT {
                return Err(unavailable("the issuer's answer is too long to be read"));
            }
        }
        Ok(read)
    }
}

/// Whether an address is on the server that named it: only that one, on loopback, may do without TLS.
fn same_origin(url: &str, named_by: &str) -> bool {
    let origin = |url: &str| Some(reqwest::Url::parse(url).ok()?.origin());
    matches!((origin(url), origin(named_by)), (Some(one), Some(other)) if one == other)
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(PortErrorKind::Unavailable, error)
}
