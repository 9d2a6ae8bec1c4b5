//! Verification of bearer tokens. Every surface verifies them here, independently of a gateway.

mod issuer;
mod keys;
mod token;

use wm_core::{operation::TokenUsage, record::Claims, value::Timestamp};

pub use issuer::{ClaimNames, Issuer, Requirement};
use keys::KeyCache;

use crate::ports::KeySource;

/// The reason for not accepting a token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token is invalid. The reason goes to the log; the answer only asks the caller to sign
    /// in.
    #[error("the token is refused: {0}")]
    Refused(&'static str),
    /// The keys of the issuer are not available now.
    #[error("the keys of the token's issuer cannot be fetched")]
    KeysUnavailable(#[source] crate::ports::PortError),
}

/// Verifies tokens of the configured issuers and caches their keys.
#[derive(Debug)]
pub struct Verifier {
    issuers: Vec<Issuer>,
    keys: KeyCache,
}

impl Verifier {
    /// A verifier for tokens of these issuers only.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>) -> Self {
        Self {
            issuers,
            keys: KeyCache::default(),
        }
    }

    /// The claims of a token, after checks of signature, issuer, audience, times and use.
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
        // The token does not choose the source of the keys: its issuer must be configured, and the
        // URL of the keys is configured with it.
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| issuer.issuer == issuer_name)
            .ok_or(TokenError::Refused("its issuer is not configured"))?;
        let key = self
            .keys
            .key(source, &issuer.jwks_url, &header, now)
            .await?;
        let claims = token::verified_claims(text, &key)?;
        claims.check(issuer, usage, now)?;
        claims.into_claims(issuer)
    }
}
