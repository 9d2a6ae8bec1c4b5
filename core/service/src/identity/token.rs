//! Strict parsing of a token (RFC 7519, RFC 7515).

use std::{collections::BTreeMap, fmt};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::Value;
use wm_core::{operation::TokenUsage, record::Claims, value::Timestamp};

use super::{ClaimNames, Issuer, TokenError};

/// The maximum size of a token: 16 KiB.
const LIMIT: usize = 16 * 1024;

/// The used part of a token's header: key id and algorithm. Keys and URLs in the header (`jku`,
/// `x5u`, `jwk`, `x5c`) are ignored.
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

/// The issuer that a token claims, before verification. It only selects a configured issuer.
pub(super) fn issuer(text: &str) -> Result<String, TokenError> {
    let claims: TokenClaims = jsonwebtoken::dangerous::insecure_decode_claims(text)
        .map_err(|_| TokenError::Refused("its claims do not parse"))?;
    claims
        .text("iss")
        .map(str::to_owned)
        .ok_or(TokenError::Refused("it has no `iss`"))
}

/// The claims of a token with a valid signature. Times and audience are checked later, against the
/// clock of the surface.
pub(super) fn verified_claims(
    text: &str,
    (algorithm, key): &(Algorithm, DecodingKey),
) -> Result<TokenClaims, TokenError> {
    let mut validation = Validation::new(*algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let data = jsonwebtoken::decode(text, key, &validation)
        .map_err(|_| TokenError::Refused("its signature is not valid"))?;
    Ok(data.claims)
}

/// The claims of a token. A duplicate claim is an error, because readers differ in the one they
/// use.
#[derive(Debug)]
pub(super) struct TokenClaims(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for TokenClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;
        impl<'de> Visitor<'de> for Unique {
            type Value = TokenClaims;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object without duplicate members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TokenClaims, A::Error> {
                let mut claims = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate claim"));
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

    /// A NumericDate as a time. Fractions of a second are cut off.
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

    /// Checks the times without leeway, then audience and use. At `exp`, the token is no longer
    /// valid.
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
        // An issuer without requirements for a use issues no tokens for that use.
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
            .ok_or(TokenError::Refused("it has no subject"))?
            .to_owned();
        let verified = self.0.get(email_verified).is_some_and(|value| {
            // Some issuers write booleans as texts.
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
