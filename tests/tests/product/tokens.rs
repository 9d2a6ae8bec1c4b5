//! Cases A: tokens, with a key server on loopback.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use wm_core::{
    operation::TokenUsage,
    record::Claims,
    value::{Sha256, Timestamp},
};
use wm_service::identity::{TokenError, Verifier};
use wm_test_results::Recording;
use wm_tests::{
    issuer::TestIssuer,
    key_server::{Behaviour, HttpKeys, KeyServer},
};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const NAME: &str = "https://issuer.test";

struct Setting {
    issuer: TestIssuer,
    server: KeyServer,
    verifier: Verifier,
}

impl Setting {
    async fn new(issuer: TestIssuer) -> Self {
        let server = KeyServer::start(issuer.jwks().to_string().into_bytes()).await;
        let verifier = Verifier::new(vec![issuer.rules(&server.url)]);
        Self {
            issuer,
            server,
            verifier,
        }
    }

    async fn ec() -> Self {
        Self::new(TestIssuer::ec(NAME, "key-1")).await
    }

    fn claims(&self) -> Value {
        self.issuer.claims("ana@example.com", "access", NOW)
    }

    async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        self.verify_at(token, NOW).await
    }

    async fn verify_at(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        self.verifier
            .verify(&HttpKeys, token, TokenUsage::Access, now)
            .await
    }

    async fn refused(&self, token: &str) {
        let result = self.verify(token).await;
        assert!(matches!(result, Err(TokenError::Refused(_))), "{result:?}");
    }

    async fn refused_claims(&self, change: impl FnOnce(&mut Value)) {
        let mut claims = self.claims();
        change(&mut claims);
        self.refused(&self.issuer.sign(&claims)).await;
    }
}

/// A token from handwritten parts.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

#[tokio::test]
async fn good_tokens_of_both_algorithms_are_accepted() {
    let _recording = Recording::start();
    for issuer in [
        TestIssuer::ec(NAME, "key-1"),
        TestIssuer::rsa(NAME, "key-1"),
    ] {
        let setting = Setting::new(issuer).await;
        let claims = setting
            .verify(&setting.issuer.sign(&setting.claims()))
            .await
            .unwrap();
        assert_eq!(claims.subject, "ana@example.com");
        assert_eq!(claims.verified_email.unwrap().as_str(), "ana@example.com");
    }
}

#[tokio::test]
async fn case_01_token_without_algorithm_is_refused() {
    let setting = Setting::ec().await;
    for algorithm in ["none", "None", "NoNe", "NONE", ""] {
        let header = json!({ "alg": algorithm, "kid": "key-1", "typ": "JWT" });
        setting
            .refused(&forged(&header, &setting.claims(), b""))
            .await;
    }
}

#[tokio::test]
async fn case_02_public_key_is_no_hmac_secret() {
    let setting = Setting::new(TestIssuer::rsa(NAME, "key-1")).await;
    let header = json!({ "alg": "HS256", "kid": "key-1", "typ": "JWT" });
    let unsigned = forged(&header, &setting.claims(), b"");
    let message = unsigned.trim_end_matches('.');
    let modulus = setting.issuer.jwk()["n"].as_str().unwrap().to_owned();
    for secret in [
        modulus.clone().into_bytes(),
        URL_SAFE_NO_PAD.decode(&modulus).unwrap(),
        setting.issuer.jwks().to_string().into_bytes(),
    ] {
        let key = jsonwebtoken::EncodingKey::from_secret(&secret);
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256)
                .unwrap();
        setting.refused(&format!("{message}.{signature}")).await;
    }
}

#[tokio::test]
async fn case_03_hostile_key_id_is_unknown() {
    let setting = Setting::ec().await;
    let long = "k".repeat(10_000);
    for kid in [
        "../../etc/passwd",
        "' OR 1=1 --",
        "https://evil.test/jwks",
        "key-1\0",
        "",
        &long,
    ] {
        let other = TestIssuer::ec(NAME, kid);
        setting.refused(&other.sign(&setting.claims())).await;
    }
}

#[tokio::test]
async fn case_04_keys_in_the_header_are_ignored() {
    let setting = Setting::ec().await;
    let attacker = TestIssuer::ec(NAME, "key-1");
    let foreign = KeyServer::start(attacker.jwks().to_string().into_bytes()).await;
    let signed = attacker.sign(&setting.claims());
    let signature = URL_SAFE_NO_PAD
        .decode(signed.rsplit('.').next().unwrap())
        .unwrap();
    for (name, value) in [
        ("jku", json!(foreign.url)),
        ("x5u", json!(foreign.url)),
        ("jwk", attacker.jwk()),
    ] {
        let mut header = json!({ "alg": "ES256", "kid": "key-1", "typ": "JWT" });
        header[name] = value;
        setting
            .refused(&forged(&header, &setting.claims(), &signature))
            .await;
        setting.refused(&signed).await;
    }
    assert_eq!(foreign.requests(), 0);
}

#[tokio::test]
async fn case_05_another_audience_is_refused() {
    let setting = Setting::ec().await;
    for audience in [
        json!("another"),
        json!(["a", "b"]),
        json!(""),
        json!(null),
        json!(7),
        json!("workspace-management-2"),
    ] {
        setting
            .refused_claims(|claims| claims["aud"] = audience)
            .await;
    }
    let mut claims = setting.claims();
    claims["aud"] = json!(["another", wm_tests::issuer::AUDIENCE]);
    assert!(setting.verify(&setting.issuer.sign(&claims)).await.is_ok());
}

#[tokio::test]
async fn case_06_lookalike_issuer_is_refused() {
    let setting = Setting::ec().await;
    for issuer in [
        "https://issuer.test/",
        "https://issuer.test.evil",
        "http://issuer.test",
        "HTTPS://ISSUER.TEST",
        "https://issuer.tes",
        "",
    ] {
        setting
            .refused_claims(|claims| claims["iss"] = json!(issuer))
            .await;
    }
    assert_eq!(
        setting.server.requests(),
        0,
        "a foreign issuer does not even make us ask for keys"
    );
}

#[tokio::test]
async fn case_07_id_and_access_tokens_are_not_interchangeable() {
    let _recording = Recording::start();
    let setting = Setting::ec().await;
    let id = setting
        .issuer
        .sign(&setting.issuer.claims("ana@example.com", "id", NOW));
    let access = setting.issuer.sign(&setting.claims());
    setting.refused(&id).await;
    let result = setting
        .verifier
        .verify(&HttpKeys, &access, TokenUsage::Id, NOW)
        .await;
    assert!(matches!(result, Err(TokenError::Refused(_))));
    assert!(
        setting
            .verifier
            .verify(&HttpKeys, &id, TokenUsage::Id, NOW)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn case_08_times_hold_to_the_second() {
    let setting = Setting::ec().await;
    let token = setting.issuer.sign(&setting.claims());
    let expiry = NOW.after(Duration::from_secs(3600));
    assert!(
        setting
            .verify_at(&token, expiry.before(Duration::from_millis(1)))
            .await
            .is_ok()
    );
    assert!(setting.verify_at(&token, expiry).await.is_err());
    assert!(setting.verify_at(&token, NOW).await.is_ok());
    assert!(
        setting
            .verify_at(&token, NOW.before(Duration::from_millis(1)))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn case_09_expiry_and_subject_are_required() {
    let setting = Setting::ec().await;
    for name in ["exp", "sub", "iss", "aud", "token_use"] {
        setting
            .refused_claims(|claims| drop(claims.as_object_mut().unwrap().remove(name)))
            .await;
    }
    for (name, value) in [
        ("exp", json!("soon")),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("nbf", json!("now")),
    ] {
        setting.refused_claims(|claims| claims[name] = value).await;
    }
}

#[tokio::test]
async fn case_10_duplicate_claim_is_refused() {
    let setting = Setting::ec().await;
    let twice = setting
        .claims()
        .to_string()
        .replacen('{', r#"{"sub":"ben@example.com","#, 1);
    let raw = serde_json::value::RawValue::from_string(twice).unwrap();
    let key_bound = setting.issuer.sign_raw(&raw);
    setting.refused(&key_bound).await;
}

#[tokio::test]
async fn case_11_unknown_keys_cause_few_key_server_requests() {
    let setting = Setting::ec().await;
    let good = setting.issuer.sign(&setting.claims());
    assert!(setting.verify(&good).await.is_ok());
    let strangers: Vec<String> = (0..200)
        .map(|number| TestIssuer::ec(NAME, &format!("stranger-{number}")).sign(&setting.claims()))
        .collect();
    let later = NOW.after(Duration::from_secs(6));
    let all = strangers
        .iter()
        .map(|token| setting.verify_at(token, later));
    let results = futures_util::future::join_all(all).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(
        setting.server.requests(),
        2,
        "one fetch for the good token, one for all strangers"
    );
    assert!(setting.verify_at(&good, later).await.is_ok());
}

#[tokio::test]
async fn case_12_rotated_key_is_found_under_traffic() {
    let setting = Setting::ec().await;
    let old = setting.issuer.sign(&setting.claims());
    assert!(setting.verify(&old).await.is_ok());
    let next = TestIssuer::ec(NAME, "key-2");
    let both = json!({ "keys": [setting.issuer.jwk(), next.jwk()] });
    setting
        .server
        .set(Behaviour::Answer(both.to_string().into_bytes()));
    let later = NOW.after(Duration::from_secs(10));
    assert!(
        setting
            .verify_at(&next.sign(&setting.claims()), later)
            .await
            .is_ok()
    );
    assert!(setting.verify_at(&old, later).await.is_ok());
    // After the old key is withdrawn and the set is fetched again, its tokens are refused.
    setting
        .server
        .set(Behaviour::Answer(next.jwks().to_string().into_bytes()));
    let much_later = NOW.after(Duration::from_secs(3599));
    let stranger = TestIssuer::ec(NAME, "key-3").sign(&setting.claims());
    assert!(setting.verify_at(&stranger, much_later).await.is_err());
    assert!(setting.verify_at(&old, much_later).await.is_err());
}

#[tokio::test]
async fn case_13_failing_key_server_makes_requests_retry_later() {
    let huge = vec![b' '; HttpKeys::LIMIT + 1];
    for behaviour in [
        Behaviour::Status(503),
        Behaviour::Hang,
        Behaviour::Answer(huge),
        Behaviour::Answer(b"<html>".into()),
    ] {
        let setting = Setting::ec().await;
        let token = setting.issuer.sign(&setting.claims());
        setting.server.set(behaviour.clone());
        let result = setting.verify(&token).await;
        assert!(
            matches!(result, Err(TokenError::KeysUnavailable(_))),
            "{behaviour:?}: {result:?}"
        );
        // It recovers when the server does, after the pause between two attempts.
        setting.server.set(Behaviour::Answer(
            setting.issuer.jwks().to_string().into_bytes(),
        ));
        assert!(
            setting
                .verify_at(&token, NOW.after(Duration::from_secs(6)))
                .await
                .is_ok()
        );
        // Known keys stay usable during an outage.
        setting.server.set(behaviour);
        assert!(
            setting
                .verify_at(&token, NOW.after(Duration::from_secs(3500)))
                .await
                .is_ok()
        );
    }
    let setting = Setting::ec().await;
    setting
        .server
        .set(Behaviour::Answer(br#"{"keys":[]}"#.into()));
    setting
        .refused(&setting.issuer.sign(&setting.claims()))
        .await;
}

#[tokio::test]
async fn case_14_same_subject_of_two_issuers_is_two_identities() {
    let _recording = Recording::start();
    let (one, two) = (
        TestIssuer::ec("https://one.test", "k"),
        TestIssuer::ec("https://two.test", "k"),
    );
    let (first, second) = (Setting::new(one).await, Setting::new(two).await);
    let verifier = Verifier::new(vec![
        first.issuer.rules(&first.server.url),
        second.issuer.rules(&second.server.url),
    ]);
    let mut scopes = Vec::new();
    for setting in [&first, &second] {
        let token = setting.issuer.sign(&setting.claims());
        scopes.push(
            verifier
                .verify(&HttpKeys, &token, TokenUsage::Access, NOW)
                .await
                .unwrap()
                .scope(),
        );
    }
    assert_ne!(scopes[0], scopes[1]);
    // A key of one issuer signs no token of the other.
    let mut claims = first.claims();
    claims["iss"] = json!("https://two.test");
    let crossed = first.issuer.sign(&claims);
    assert!(
        verifier
            .verify(&HttpKeys, &crossed, TokenUsage::Access, NOW)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn case_15_unverified_or_untrusted_address_is_ignored() {
    let _recording = Recording::start();
    let setting = Setting::ec().await;
    for verified in [json!(false), json!(null), json!("false"), json!(1)] {
        let mut claims = setting.claims();
        claims["email_verified"] = verified;
        let claims = setting.verify(&setting.issuer.sign(&claims)).await.unwrap();
        assert_eq!(claims.verified_email, None);
    }
    let rules = wm_service::identity::Issuer {
        trusts_email: false,
        ..setting.issuer.rules(&setting.server.url)
    };
    let verifier = Verifier::new(vec![rules]);
    let token = setting.issuer.sign(&setting.claims());
    let claims = verifier
        .verify(&HttpKeys, &token, TokenUsage::Access, NOW)
        .await
        .unwrap();
    assert_eq!(claims.verified_email, None);
}

#[tokio::test]
async fn case_16_group_and_admin_claims_change_nothing() {
    let _recording = Recording::start();
    let setting = Setting::ec().await;
    let plain = setting
        .verify(&setting.issuer.sign(&setting.claims()))
        .await
        .unwrap();
    let mut claims = setting.claims();
    claims["cognito:groups"] = json!(["admin"]);
    claims["roles"] = json!(["owner"]);
    claims["role"] = json!("owner");
    claims["scp"] = json!("admin");
    let adorned = setting.verify(&setting.issuer.sign(&claims)).await.unwrap();
    assert_eq!(plain, adorned);
}

#[tokio::test]
async fn malformed_tokens_are_refused() {
    let setting = Setting::ec().await;
    let good = setting.issuer.sign(&setting.claims());
    let long = "x".repeat(20_000);
    let tampered = good.replacen('.', ".e", 1);
    let cut = &good[..good.len() - 4];
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        "\0",
        &long,
        &tampered,
        cut,
        &Sha256::of(b"").to_string(),
    ] {
        setting.refused(text).await;
    }
}
