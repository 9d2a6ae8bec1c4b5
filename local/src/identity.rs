//! The built-in OpenID Connect issuer: a key in a file, and the tokens that it signs.
//!
//! It does not authenticate people: every user who can read the key file can sign in as any person.
//! That is acceptable for a surface on one machine. No other surface accepts these tokens.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use pem::Pem;
use serde::Serialize;
use serde_json::{Value, json};
use wm_core::{
    operation::TokenUsage,
    value::{Email, Name, Sha256, Timestamp},
};
use wm_service::{
    identity::{ClaimNames, Issuer as Rules, Requirement},
    ports::{KeySource, PortError, PortErrorKind},
};

use crate::{durable::write_new_file, secrets::random_hex};

/// The `iss` of every token. It is the same for all data directories, so that a token stays valid
/// after a change of port and people keep their identity. It equals the default listen address, but
/// no client fetches it.
pub const ISSUER: &str = "http://127.0.0.1:7878";

/// The `aud` of access tokens.
pub const AUDIENCE: &str = "workspace-management";

/// The client that tokens are issued to, and the `aud` of ID tokens.
pub const CLIENT: &str = "wm";

/// The lifetime of a token: 12 hours.
pub const LIFETIME: Duration = Duration::from_hours(12);

/// The reason why the issuer fails.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The key file cannot be read or written.
    #[error("the issuer's key `{}` cannot be read or written; check that you own it", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The key file contains no valid key.
    #[error("`{}` contains no P-256 key in PKCS#8 PEM; restore it, or move it away to get a new key (all issued tokens become invalid)", path.display())]
    Key {
        path: PathBuf,
        source: jsonwebtoken::errors::Error,
    },
    /// The system could not generate a key.
    #[error("the system could not generate a key; try again")]
    Generate(#[source] io::Error),
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

#[derive(Clone)]
pub struct Issuer {
    key: EncodingKey,
    key_id: String,
    jwks: JwkSet,
}

impl fmt::Debug for Issuer {
    /// Omits the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Issuer");
        shown.field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The claims of a token (RFC 7519, RFC 9068, OpenID Connect Core 1.0).
#[derive(Debug, Serialize)]
struct TokenClaims<'a> {
    iss: &'static str,
    sub: String,
    aud: &'static str,
    client_id: &'static str,
    token_use: &'static str,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    email: &'a Email,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a Name>,
}

impl Issuer {
    /// The issuer with the key in this file. A missing file is created, readable by the owner only.
    /// If several processes create it at once, all get the same key.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub fn open(path: &Path) -> Result<Self, IssuerError> {
        let file_error = |source| IssuerError::File {
            path: path.to_owned(),
            source,
        };
        if !path.try_exists().map_err(file_error)? {
            let pem = generate().map_err(IssuerError::Generate)?;
            match write_new_file(path, pem.as_bytes(), 0o600) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                written => written.map_err(file_error)?,
            }
        }
        let pem = fs::read(path).map_err(file_error)?;
        Self::from_pem(&pem).map_err(|source| IssuerError::Key {
            path: path.to_owned(),
            source,
        })
    }

    fn from_pem(pem: &[u8]) -> Result<Self, jsonwebtoken::errors::Error> {
        let key = EncodingKey::from_ec_pem(pem)?;
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256)?;
        // The key id is the thumbprint of the key (RFC 7638), so it needs no storage.
        let key_id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(key_id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            key,
            key_id,
            jwks: JwkSet { keys: vec![jwk] },
        })
    }

    /// Signs a token for the person with this e-mail address. The subject is derived from the
    /// address, so the same person has the same subject in every token.
    ///
    /// # Errors
    /// [`IssuerError::Generate`] and [`IssuerError::Sign`].
    pub fn mint(
        &self,
        usage: TokenUsage,
        email: &Email,
        name: Option<&Name>,
        now: Timestamp,
    ) -> Result<String, IssuerError> {
        let (kind, aud, token_use) = meant_for(usage);
        let claims = TokenClaims {
            iss: ISSUER,
            sub: subject(email),
            aud,
            client_id: CLIENT,
            token_use,
            iat: now.millis().div_euclid(1000),
            nbf: now.millis().div_euclid(1000),
            exp: now.after(LIFETIME).millis().div_euclid(1000),
            jti: random_hex::<16>().map_err(IssuerError::Generate)?,
            email,
            email_verified: true,
            name,
        };
        let header = Header {
            typ: Some(kind.to_owned()),
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(IssuerError::Sign)
    }

    /// The public keys (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> &JwkSet {
        &self.jwks
    }

    /// The discovery document, with the URL of the keys on this node. It has no authorization
    /// endpoint: `wm token` issues the tokens.
    #[must_use]
    pub fn discovery(&self, jwks_uri: &str) -> Value {
        json!({
            "issuer": ISSUER,
            "jwks_uri": jwks_uri,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["sub", "iss", "aud", "iat", "nbf", "exp", "email", "email_verified", "name"],
        })
    }

    /// The requirements of the service for tokens of this issuer.
    #[must_use]
    pub fn rules() -> Rules {
        let requirements = |usage| {
            let (_, audience, token_use) = meant_for(usage);
            vec![
                Requirement::new("aud", audience),
                Requirement::new("token_use", token_use),
            ]
        };
        Rules {
            issuer: ISSUER.to_owned(),
            jwks_url: Self::jwks_url(),
            access: requirements(TokenUsage::Access),
            id: requirements(TokenUsage::Id),
            trusts_email: true,
            names: ClaimNames::STANDARD,
        }
    }

    /// The URL under which the service requests the keys. The request is answered by this value,
    /// without network access.
    #[must_use]
    pub fn jwks_url() -> String {
        format!("{ISSUER}/.well-known/jwks.json")
    }
}

impl KeySource for Issuer {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, PortError> {
        if url != Self::jwks_url() {
            let refused = "the local surface has only the keys of its own issuer";
            return Err(PortError::new(PortErrorKind::Refused, refused));
        }
        serde_json::to_vec(&self.jwks)
            .map_err(|error| PortError::new(PortErrorKind::Refused, error))
    }
}

/// The `typ`, `aud` and `token_use` of a token.
fn meant_for(usage: TokenUsage) -> (&'static str, &'static str, &'static str) {
    match usage {
        TokenUsage::Access => ("at+jwt", AUDIENCE, "access"),
        TokenUsage::Id => ("JWT", CLIENT, "id"),
    }
}

/// A new P-256 key in PKCS#8 PEM.
fn generate() -> io::Result<String> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .map_err(|_| io::Error::other("the key generator failed"))?;
    Ok(pem::encode(&Pem::new("PRIVATE KEY", key.as_ref())))
}

fn subject(email: &Email) -> String {
    let digest = Sha256::of(email.as_str().as_bytes()).to_string();
    let digits: String = digest.chars().take(32).collect();
    format!("local|{digits}")
}
