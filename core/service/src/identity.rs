//! Verifying bearer tokens: once, here, for every surface, whatever a gateway did before.

mod issuer;
mod keys;
mod token;

use wm_core::{operation::TokenUsage, record::Claims, value::Timestamp};

pub use issuer::{ClaimNames, Issuer, Requirement};
use keys::KeyCache;

use crate::ports::KeySource;

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It proves nothing. The reason is for the log; callers are told only to sign in.
    #[error("the token is refused: {0}")]
    Refused(&'static str),
    /// Its issuer's keys cannot be had right now.
    #[error("the keys of the token's issuer cannot be fetched")]
    KeysUnavailable(#[source] crate::ports::PortError),
}

/// The configured issuers and their cached keys.
#[derive(Debug)]
pub struct Verifier {
    issuers: Vec<Issuer>,
    keys: KeyCache,
}

impl Verifier {
    /// A verifier that accepts tokens of these issuers and no others.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>) -> Self {
        Self {
            issuers,
            keys: KeyCache::default(),
        }
    }

    /// What a token says, once signature, issuer, audience, times and use are right.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(
        &self,
        source: &impl KeySource,
        text: &str,
        usage: TokenUsage,
        now: Timestamp,
    ) -> Result<Claims, TokenError> {
        let header = token::Header::read(text)?;
        let issuer_name = token::issuer(text)?;
        // Nothing in the token chooses where keys come from: the issuer must be one of ours, and
        // its address is ours.
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| issuer.issuer == issuer_name)
            .ok_or(TokenError::Refused("its issuer is not one of ours"))?;
        let key = self
            .keys
            .key(source, &issuer.jwks_url, &header, now)
            .await?;
        let claims = token::verified_claims(text, &key)?;
        claims.check(issuer, usage, now)?;
        claims.into_claims(issuer)
    }
}
