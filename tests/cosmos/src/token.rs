//! The tokens of requests: `type=aad&ver=1.0&sig={token}`, percent-encoded, the form of Entra ID
//! tokens for Cosmos DB
//! (<https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources>).

use std::{
    fs,
    path::PathBuf,
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::{HeaderMap, header::AUTHORIZATION};
use percent_encoding::percent_decode_str;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

/// The required audience of tokens.
const AUDIENCE: &str = "https://cosmos.azure.com";

/// Verifies tokens with a key set in a file.
pub(crate) struct Verifier {
    file: PathBuf,
    keys: Mutex<Vec<Value>>,
}

impl Verifier {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self {
            file,
            keys: Mutex::default(),
        }
    }

    /// Checks that the request carries a valid token.
    pub(crate) fn verify(&self, headers: &HeaderMap) -> Result<(), String> {
        let header = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let header = header.ok_or("the header `authorization` is missing")?;
        let decoded = percent_decode_str(header).decode_utf8_lossy();
        let token = decoded
            .strip_prefix("type=aad&ver=1.0&sig=")
            .ok_or("only tokens of Entra ID are taken, `type=aad&ver=1.0&sig=`: keys are off")?;
        let (signed, signature) = token.rsplit_once('.').ok_or("the token is not one")?;
        let (header, claims) = signed.split_once('.').ok_or("the token is not one")?;
        let (header, claims) = (part(header)?, part(claims)?);
        let signature = decode(signature)?;
        let key = self.key(header["kid"].as_str().unwrap_or_default())?;
        check_signature(&header, &key, signed.as_bytes(), &signature)?;
        check_claims(&claims)
    }

    fn key(&self, kid: &str) -> Result<Value, String> {
        let mut keys = self.keys.lock().unwrap();
        let find = |keys: &[Value]| keys.iter().find(|key| key["kid"] == kid).cloned();
        if let Some(key) = find(&keys) {
            return Ok(key);
        }
        let file = fs::read(&self.file).map_err(|error| format!("no key set: {error}"))?;
        let set: Value =
            serde_json::from_slice(&file).map_err(|error| format!("no key set: {error}"))?;
        *keys = set["keys"].as_array().cloned().unwrap_or_default();
        find(&keys).ok_or_else(|| format!("no key `{kid}` is known"))
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| format!("the token is not one: {error}"))
}

fn part(text: &str) -> Result<Value, String> {
    serde_json::from_slice(&decode(text)?).map_err(|error| format!("the token is not one: {error}"))
}

fn check_signature(
    header: &Value,
    key: &Value,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    let number = |name: &str| decode(key[name].as_str().unwrap_or_default());
    let good = match (header["alg"].as_str(), key["kty"].as_str()) {
        (Some("RS256"), Some("RSA")) => {
            let key = RsaPublicKeyComponents {
                n: number("n")?,
                e: number("e")?,
            };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
        }
        (Some("ES256"), Some("EC")) => {
            // An uncompressed point: SEC 1 section 2.3.3.
            let point = [vec![4], number("x")?, number("y")?].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
        }
        (algorithm, _) => return Err(format!("tokens are not signed with {algorithm:?}")),
    };
    good.map_err(|_| "the signature is wrong".to_owned())
}

fn check_claims(claims: &Value) -> Result<(), String> {
    let audience = claims["aud"].as_str().unwrap_or_default();
    if audience.trim_end_matches('/') != AUDIENCE {
        return Err(format!("the token is for `{audience}`"));
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if claims["exp"].as_u64().unwrap_or_default() <= now {
        return Err("the token is expired".to_owned());
    }
    if claims["nbf"]
        .as_u64()
        .is_some_and(|begin| begin > now + 300)
    {
        return Err("the token is not good yet".to_owned());
    }
    Ok(())
}
