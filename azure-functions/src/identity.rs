//! Accepted tokens: those of one Entra External ID tenant, verified with the keys of the tenant.

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

/// The timeout of the tenant for both answers together.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum size of an answer, in bytes.
const LIMIT: usize = 256 * 1024;

/// The header in which App Service authentication forwards the access token of a caller
/// (<https://learn.microsoft.com/azure/app-service/configure-authentication-oauth-tokens>). Its
/// other headers, such as `X-MS-CLIENT-PRINCIPAL`, are not signed and are ignored.
const EASY_AUTH_TOKEN: &str = "x-ms-token-aad-access-token";

/// The requirements for version 2 tokens of a tenant.
///
/// An access token is for an API (`aud`), comes from a client (`azp`) and contains the consented
/// scopes (`scp`). Tokens of an application without a person have no `scp`
/// (<https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>). An ID
/// token is for a client (`aud`) and has neither `azp` nor `scp`
/// (<https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>). `sub` differs
/// between applications, so `oid`, which is unique in the tenant, identifies a person. Groups and
/// roles are ignored: no claim gives rights in this application.
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
            // Whether the address is verified. This is an optional claim
            // (https://learn.microsoft.com/entra/identity-platform/optional-claims-reference).
            email_verified: "xms_edov",
        },
    }
}

/// Uses a token that App Service authentication forwarded, if the configuration allows it
/// ([`Config::easy_auth`]) and the caller sent no token. It is verified like any other token.
pub fn take_easy_auth_token(easy_auth: bool, request: &mut Request) {
    if !easy_auth || request.header("authorization").is_some() {
        return;
    }
    let forwarded = request.header(EASY_AUTH_TOKEN);
    // App Service replaces this header. Two values, separated by a comma, show that it did not.
    if let Some(token) = forwarded.filter(|token| !token.contains(',')) {
        let value = format!("Bearer {token}");
        request.headers.push(("authorization".to_owned(), value));
    }
}

/// Keys over HTTPS, from the URL in the tenant's discovery document
/// (<https://openid.net/specs/openid-connect-discovery-1_0.html>). Redirects are not followed.
#[derive(Debug)]
pub struct EntraKeys {
    http: reqwest::Client,
    issuer: String,
}

/// The used part of a discovery document.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

impl EntraKeys {
    /// The key source of the configured tenant.
    #[must_use]
    pub fn new(sdk: &Sdk, config: &Config) -> Self {
        Self {
            http: sdk.http.clone(),
            issuer: config.entra.issuer.clone(),
        }
    }
}

impl KeySource for EntraKeys {
    /// The keys that the discovery document at this URL names.
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
                "the discovery document names another issuer: set `AZURE_ENTRA_ISSUER` to that issuer",
            ));
        }
        if !found.jwks_uri.starts_with("https://") && !same_origin(&found.jwks_uri, url) {
            return Err(unavailable(
                "the discovery document names keys on another server or without TLS",
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
        while let Some(chunk) = answer.chunk().await.map_err(unavailable)? {
            read.extend_from_slice(&chunk);
            if read.len() > LIMIT {
                return Err(unavailable("the answer of the issuer is too large"));
            }
        }
        Ok(read)
    }
}

/// Whether both URLs have the same origin. Only then may the keys come without TLS, which is
/// possible on loopback.
fn same_origin(url: &str, named_by: &str) -> bool {
    let origin = |url: &str| Some(reqwest::Url::parse(url).ok()?.origin());
    matches!((origin(url), origin(named_by)), (Some(one), Some(other)) if one == other)
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(PortErrorKind::Unavailable, error)
}
