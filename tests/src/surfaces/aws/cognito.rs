//! A user pool under the control of tests: tokens like Cognito's, with one signing key per use.

use std::sync::OnceLock;

use serde_json::{Value, json};
use wm_core::value::{Sha256, Timestamp};

use crate::issuer::TestIssuer;

pub const POOL: &str = "us-east-1_TestPool1";
/// The app client whose tokens are accepted.
pub const CLIENT: &str = "2a4k6f8h1example5client7";

pub struct Pool {
    /// Signs access tokens.
    pub access: TestIssuer,
    /// Signs ID tokens.
    pub id: TestIssuer,
}

impl Pool {
    /// The pool of this test program, shared because its keys are slow to generate.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Pool> = OnceLock::new();
        SHARED.get_or_init(|| {
            let issuer = format!("https://cognito-idp.us-east-1.amazonaws.com/{POOL}");
            Self {
                access: TestIssuer::rsa(&issuer, "access-key"),
                id: TestIssuer::rsa(&issuer, "id-key"),
            }
        })
    }

    /// Both public keys.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.id.jwk(), self.access.jwk()] })
    }

    /// The claims of a valid access token, without audience and e-mail address.
    pub fn access_claims(&self, email: &str, now: Timestamp) -> Value {
        let mut claims = self.claims(email, "access", now);
        claims["client_id"] = CLIENT.into();
        claims["scope"] = "openid email".into();
        claims["username"] = claims["sub"].clone();
        claims
    }

    /// The claims of a valid ID token.
    pub fn id_claims(&self, email: &str, now: Timestamp) -> Value {
        let mut claims = self.claims(email, "id", now);
        claims["aud"] = CLIENT.into();
        claims["email"] = email.into();
        claims["email_verified"] = true.into();
        claims["name"] = email.split('@').next().into();
        claims["cognito:username"] = claims["sub"].clone();
        claims
    }

    fn claims(&self, email: &str, usage: &str, now: Timestamp) -> Value {
        let seconds = now.millis() / 1000;
        json!({
            "iss": self.access.name,
            "sub": subject(email),
            "token_use": usage,
            "auth_time": seconds,
            "iat": seconds,
            "exp": seconds + 3600,
            "jti": "0c7b1f0e-2f4f-4d53-8a48-c4d7b8e0f6a1",
            "cognito:groups": ["admin"],
        })
    }
}

/// A subject like Cognito's, the same for the same e-mail address.
fn subject(email: &str) -> String {
    let digest = Sha256::of(email.as_bytes()).to_string();
    let part = |from: usize, to: usize| &digest[from..to];
    let parts = [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ];
    parts.join("-")
}
