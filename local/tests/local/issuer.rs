//! The built-in token issuer.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;
use tempfile::TempDir;
use wm_core::{operation::TokenUsage, value::Timestamp};
use wm_local::{
    clock::now,
    identity::{AUDIENCE, ISSUER, Issuer},
};
use wm_service::ports::KeySource;

fn open(directory: &TempDir) -> Issuer {
    Issuer::open(&directory.path().join("issuer-key.pem")).unwrap()
}

fn mint(issuer: &Issuer, email: &str, now: Timestamp) -> String {
    let name = "Ana".parse().unwrap();
    let email = email.parse().unwrap();
    issuer
        .mint(TokenUsage::Access, &email, Some(&name), now)
        .unwrap()
}

/// The claims, verified against the published keys as by any client.
fn claims(issuer: &Issuer, token: &str) -> Value {
    let keys: JwkSet =
        serde_json::from_value(serde_json::to_value(issuer.jwks()).unwrap()).unwrap();
    let header = decode_header(token).unwrap();
    let key = keys.find(&header.kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    decode(token, &DecodingKey::from_jwk(key).unwrap(), &validation)
        .unwrap()
        .claims
}

#[test]
fn token_verifies_against_the_published_keys() {
    let directory = tempfile::tempdir().unwrap();
    let issuer = open(&directory);
    let now = now();
    let claims = claims(&issuer, &mint(&issuer, "Ana@Example.com", now));
    assert_eq!(claims["email"], "ana@example.com");
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["name"], "Ana");
    assert_eq!(claims["token_use"], "access");
    let hours = Duration::from_hours(12).as_secs();
    let (issued, expires) = (
        claims["iat"].as_u64().unwrap(),
        claims["exp"].as_u64().unwrap(),
    );
    assert_eq!(expires - issued, hours);
}

#[test]
fn subject_depends_on_the_normalised_address_only() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let subject = |directory, email| {
        let issuer = open(directory);
        claims(&issuer, &mint(&issuer, email, now()))["sub"].clone()
    };
    let ana = subject(&one, "ana@example.com");
    assert_eq!(ana, subject(&one, " ANA@example.com "));
    assert_eq!(ana, subject(&other, "ana@example.com"));
    assert_ne!(ana, subject(&one, "ben@example.com"));
}

#[test]
fn key_is_readable_by_the_owner_only_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let token = mint(&open(&directory), "ana@example.com", now());
    let metadata = fs::metadata(directory.path().join("issuer-key.pem")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    // After a restart, earlier tokens are still valid.
    claims(&open(&directory), &token);
}

#[test]
fn processes_that_create_the_key_at_once_share_one() {
    let directory = tempfile::tempdir().unwrap();
    let keys: Vec<Value> = std::thread::scope(|scope| {
        let open = || serde_json::to_value(open(&directory).jwks()).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[test]
fn damaged_key_is_reported_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("issuer-key.pem");
    fs::write(&path, "not a key").unwrap();
    let error = Issuer::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("issuer-key.pem") && error.contains("restore it"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), b"not a key");
}

#[tokio::test]
async fn keys_are_fetched_from_the_configured_url_only() {
    let directory = tempfile::tempdir().unwrap();
    let issuer = open(&directory);
    let keys = issuer.fetch(&Issuer::jwks_url()).await.unwrap();
    assert_eq!(keys, serde_json::to_vec(issuer.jwks()).unwrap());
    assert!(issuer.fetch("http://169.254.169.254/latest").await.is_err());
}
