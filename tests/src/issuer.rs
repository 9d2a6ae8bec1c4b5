//! Token issuers under the control of tests.

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde::Serialize;
use serde_json::{Value, json};
use wm_core::value::Timestamp;
use wm_service::identity::{ClaimNames, Issuer, Requirement};

#[derive(Clone)]
pub struct TestIssuer {
    /// The claim `iss`.
    pub name: String,
    kid: String,
    algorithm: Algorithm,
    key: EncodingKey,
}

pub const AUDIENCE: &str = "workspace-management";

impl TestIssuer {
    pub fn ec(name: &str, kid: &str) -> Self {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let key = EncodingKey::from_ec_der(document.unwrap().as_ref());
        Self {
            name: name.into(),
            kid: kid.into(),
            algorithm: Algorithm::ES256,
            key,
        }
    }

    pub fn rsa(name: &str, kid: &str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        // The library expects PKCS #1, which PKCS #8 wraps in 26 bytes for this key size.
        let key = EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..]);
        Self {
            name: name.into(),
            kid: kid.into(),
            algorithm: Algorithm::RS256,
            key,
        }
    }

    /// An ES256 issuer with the P-256 key in this PEM.
    pub fn with_key(name: &str, kid: &str, pem: &[u8]) -> Self {
        Self {
            name: name.into(),
            kid: kid.into(),
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_pem(pem).unwrap(),
        }
    }

    /// The public key as an entry of a key set.
    pub fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.clone());
        serde_json::to_value(jwk).unwrap()
    }

    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.jwk()] })
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_raw(claims)
    }

    /// Signs any serialisable claims unchanged.
    pub fn sign_raw(&self, claims: &impl Serialize) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }

    /// Signs claims with any header.
    pub fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm);
        format!("{message}.{}", signature.unwrap())
    }

    /// The claims of a valid token of this use (`access` or `id`) for an e-mail address.
    pub fn claims(&self, email: &str, usage: &str, now: Timestamp) -> Value {
        let seconds = now.millis() / 1000;
        json!({
            "iss": self.name,
            "sub": email,
            "aud": AUDIENCE,
            "token_use": usage,
            "iat": seconds,
            "nbf": seconds,
            "exp": seconds + 3600,
            "email": email,
            "email_verified": true,
            "name": email.split('@').next(),
        })
    }

    /// The verification rules of a surface for its tokens.
    pub fn rules(&self, jwks_url: &str) -> Issuer {
        let rules = |usage| {
            vec![
                Requirement::new("aud", AUDIENCE),
                Requirement::new("token_use", usage),
            ]
        };
        Issuer {
            issuer: self.name.clone(),
            jwks_url: jwks_url.into(),
            access: rules("access"),
            id: rules("id"),
            trusts_email: true,
            names: ClaimNames::STANDARD,
        }
    }
}
