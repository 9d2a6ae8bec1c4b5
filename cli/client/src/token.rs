//! Bearer tokens.

use std::{error::Error, fmt};

/// A bearer token (RFC 6750). It is a secret: `Debug` does not show it, and no error repeats it.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(String);

impl BearerToken {
    /// Wraps a token in the form in which the issuer wrote it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BearerToken(…)")
    }
}

/// The reason why there is no token.
pub type TokenError = Box<dyn Error + Send + Sync>;

/// Provides the token of each request, so that a token can be renewed during a transfer.
pub trait TokenSource: Send + Sync + 'static {
    /// The token to send now. The client calls this before every attempt, so an implementation
    /// should cache a token until it is about to expire.
    ///
    /// # Errors
    /// If there is no token. The client returns the error as
    /// [`ApiError::Token`](crate::ApiError::Token).
    fn token(&self) -> Result<BearerToken, TokenError>;
}

impl TokenSource for BearerToken {
    fn token(&self) -> Result<BearerToken, TokenError> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_token_debug_hides_the_text() {
        let shown = format!("{:?}", BearerToken::new("eyJ.secret.x"));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
