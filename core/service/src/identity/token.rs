//! Reading one token (RFC 7519, RFC 7515), strictly.

use std::{collections::BTreeMap, fmt};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::Value;
use wm_core::{operation::TokenUsage, record::Claims, value::Timestamp};

use super::{ClaimNames, Issuer, TokenError};

/// The largest token that is looked at: 16 KiB.
const LIMIT: usize = 16 * 1024;

/// What counts of a token's header: which key, and which algorithm. Addresses and keys it carries
/// (`jku`, `x5u`, `jwk`, `x5c`) are never looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: String,
}

impl Header {
    pub(super) fn read(text: &str) -> Result<Self, TokenError> {
        if text.len() > LIMIT {
            return Err(TokenError::Refused("it is too long"));
        }
        let header = jsonwebtoken::decode_header(text)
            .map_err(|_| TokenError::Refused("its header does not parse"))?;
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
            return Err(TokenError::Refused("its algorithm is not RS256 or ES256"));
        }
        let kid = header.kid.filter(|kid| (1..=256).contains(&kid.len()));
        let kid = kid.ok_or(TokenError::Refused("it names no key"))?;
        Ok(Self {
            algorithm: header.alg,
            kid,
        })
    }
}

/// The issuer a token claims, before anything is verified: good for choosing among ours only.
pub(super) fn issuer(text: &str) -> Result<String, TokenError> {
    let claims: TokenClaims = jsonwebtoken::dangerous::insecure_decode_claims(text)
        .map_err(|_| TokenError::Refused("its claims do not parse"))?;
    claims
        .text("iss")
        .map(str::to_owned)
        .ok_or(TokenError::Refused("it has no `iss`"))
}

/// The claims under a good signature. Times and audience are checked after, against our own clock.
pub(super) fn verified_claims(
    text: &str,
    (algorithm, key): &(Algorithm, DecodingKey),
) -> Result<TokenClaims, TokenError> {
    let mut validation = Validation::new(*algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let data = jsonwebtoken::decode(text, key, &validation)
        .map_err(|_| TokenError::Refused("its signature is not its issuer's"))?;
    Ok(data.claims)
}

/// A token's claims. A claim that stands twice makes it unreadable, because readers differ in which
/// one they take.
#[derive(Debug)]
pub(super) struct TokenClaims(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for TokenClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;
        impl<'de> Visitor<'de> for Unique {
            type Value = TokenClaims;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object whose members each stand once")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TokenClaims, A::Error> {
                let mut claims = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim stands twice"));
                    }
                }
                Ok(TokenClaims(claims))
            }
        }
        deserializer.deserialize_map(Unique)
    }
}

impl TokenClaims {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A NumericDate in milliseconds; fractions of a second are cut.
    fn time(&self, name: &str) -> Result<Option<Timestamp>, TokenError> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let seconds = value
            .as_i64()
            .or_else(|| value.as_f64().map(|seconds| seconds as i64));
        let seconds = seconds.ok_or(TokenError::Refused("a time in it is not a number"))?;
        Ok(Some(Timestamp::from_millis(seconds.saturating_mul(1000))))
    }

    /// Times without leeway (`exp` is the first moment it is no longer good), then audience and use.
    pub(super) fn check(
        &self,
        issuer: &Issuer,
        usage: TokenUsage,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let expires = self
            .time("exp")?
            .ok_or(TokenError::Refused("it has no `exp`"))?;
        if now >= expires {
            return Err(TokenError::Refused("it has expired"));
        }
        if self.time("nbf")?.is_some_and(|begins| now < begins) {
            return Err(TokenError::Refused("it is not valid yet"));
        }
        let requirements = issuer.requirements(usage);
        let all = requirements
            .iter()
            .all(|requirement| requirement.holds(self.0.get(&requirement.claim)));
        // An issuer without requirements for a use issues no token for that use.
        if requirements.is_empty() || !all {
            return Err(TokenError::Refused("it is for another audience or use"));
        }
        Ok(())
    }

    pub(super) fn into_claims(self, issuer: &Issuer) -> Result<Claims, TokenError> {
        let ClaimNames {
            subject,
            email_verified,
        } = issuer.names;
        let subject = self
            .text(subject)
            .filter(|subject| (1..=255).contains(&subject.len()));
        let subject = subject
            .ok_or(TokenError::Refused("it does not say whose it is"))?
            .to_owned();
        let verified = self.0.get(email_verified).is_some_and(|value| {
            // Some issuers write booleans as text.
            *value == Value::Bool(true) || value.as_str() == Some("true")
        });
        let client = self
            .text("client_id")
            .or_else(|| self.text("azp"))
            .map(str::to_owned);
        let email = self
            .text("email")
            .filter(|_| verified && issuer.trusts_email);
        Ok(Claims {
            issuer: issuer.issuer.clone(),
            subject,
            client,
            verified_email: email.and_then(|email| email.parse().ok()),
            name: self.text("name").and_then(|name| name.parse().ok()),
        })
    }
}
