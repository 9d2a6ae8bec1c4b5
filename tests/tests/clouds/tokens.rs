//! Cases A with tokens in the format of each identity provider.

/// Generates a test per cloud from each scenario.
macro_rules! scenarios {
    ($cloud:ty) => {
        $crate::harness::scenarios! { $cloud:
            case_01_and_02_key_determines_the_algorithm,
            case_03_and_04_header_selects_only_known_keys,
            case_05_foreign_audience_or_client_is_refused,
            case_06_lookalike_issuer_is_refused,
            case_07_id_and_access_tokens_are_not_interchangeable,
            case_09_missing_or_odd_claim_is_refused,
            case_10_duplicate_claim_is_refused,
            case_11_unknown_keys_cause_few_issuer_requests,
            case_12_rotated_key_is_found,
            case_14_one_subject_of_two_issuers_is_two_people,
            malformed_tokens_are_refused,
        }
    };
}

mod aws;
mod azure;

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json, value::RawValue};
use wm_tests::{issuer::TestIssuer, key_server::KeyServer, suite};

const ANA: &str = "ana@example.com";

/// The result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
    /// The keys of the issuer are unavailable now.
    Unavailable,
}

/// A verifier with one key cache, and the identity provider whose tokens it accepts.
trait Verifying: Sized {
    /// The name of the surface in skips.
    const NAME: &str;
    /// The identity provider's term for the unit whose tokens are accepted.
    const PART: &str;
    /// The id of the key that signs access tokens.
    const KEY_ID: &str;
    /// The claims that every access token has.
    const REQUIRED_CLAIMS: &[&str];
    /// The claims that a token may contain only once.
    const UNIQUE_CLAIMS: &[&str];

    /// Further malformed tokens that a client cannot send to every surface.
    const OTHER_MALFORMED: &[&str] = &[];

    async fn start() -> Self;

    /// The signer of access tokens.
    fn signer(&self) -> &TestIssuer;

    /// The keys that the issuer publishes.
    fn published_keys(&self) -> Value;

    /// The claims of a valid access token.
    fn claims(&self) -> Value;

    /// Claims of access tokens for another audience or client, or from another unit of the identity
    /// provider.
    fn foreign_claims(&self) -> Vec<Value>;

    /// Names that resemble the issuer's.
    fn lookalike_issuers(&self) -> Vec<String>;

    /// Claims with invalid values.
    fn odd_claims() -> Vec<(&'static str, Value)>;

    fn id_tokens(&self) -> Vec<String>;

    /// Tokens that are not ID tokens of Ana.
    fn not_id_tokens(&self) -> Vec<String>;

    /// Verifies an access token.
    async fn judge(&self, token: &str) -> Verdict;

    /// Verifies an access token after the pause between two key requests, where the clock can
    /// advance.
    async fn judge_later(&self, token: &str) -> Verdict;

    /// Verifies an ID token.
    async fn judge_id(&self, token: &str) -> Verdict;

    /// The number of requests for the issuer's keys.
    fn key_requests(&self) -> usize;

    /// The number of all requests to the issuer.
    fn requests(&self) -> usize {
        self.key_requests()
    }

    /// The permitted number of key requests after tokens with many unknown keys.
    fn key_requests_allowed(elapsed: Duration) -> RangeInclusive<usize>;

    /// Makes the issuer publish other keys.
    fn publish_keys(&self, keys: Value);

    /// A valid access token.
    fn token(&self) -> String {
        self.signer().sign(&self.claims())
    }

    async fn assert_accepted(&self, token: &str) {
        assert_eq!(self.judge(token).await, Verdict::Accepted);
    }

    async fn assert_refused(&self, token: &str, what: &str) {
        assert_eq!(self.judge(token).await, Verdict::Refused, "{what}");
    }

    /// Asserts that a token with these claims, signed with the right key, is refused.
    async fn assert_claims_refused(&self, claims: &Value) {
        let token = self.signer().sign(claims);
        self.assert_refused(&token, &claims.to_string()).await;
    }
}

/// Longer than the pause between two key requests.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Retries a token until it is accepted: a function does not show when it requests the keys again.
async fn assert_accepted_in_the_end<V: Verifying>(verifier: &V, token: &str) {
    let begun = Instant::now();
    while verifier.judge_later(token).await != Verdict::Accepted {
        assert!(begun.elapsed() < TIMEOUT, "still not accepted");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

async fn case_01_and_02_key_determines_the_algorithm<V: Verifying>() {
    let verifier = V::start().await;
    verifier.assert_accepted(&verifier.token()).await;
    let claims = part(&verifier.claims());
    for algorithm in ["none", "None", "NoNe", "NONE", ""] {
        let header = json!({ "alg": algorithm, "kid": V::KEY_ID, "typ": "JWT" });
        let token = format!("{}.{claims}.", part(&header));
        verifier.assert_refused(&token, algorithm).await;
    }
    let header = json!({ "alg": "HS256", "kid": V::KEY_ID, "typ": "JWT" });
    let message = format!("{}.{claims}", part(&header));
    let modulus = verifier.signer().jwk()["n"].as_str().unwrap().to_owned();
    for secret in [
        modulus.clone().into_bytes(),
        URL_SAFE_NO_PAD.decode(&modulus).unwrap(),
        verifier.published_keys().to_string().into_bytes(),
    ] {
        let key = EncodingKey::from_secret(&secret);
        let signed = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
        let token = format!("{message}.{}", signed.unwrap());
        verifier
            .assert_refused(&token, "the public key as a secret")
            .await;
    }
}

async fn case_03_and_04_header_selects_only_known_keys<V: Verifying>() {
    let verifier = V::start().await;
    let issuer = verifier.signer().name.clone();
    let claims = verifier.claims();
    let with_nul = format!("{}\0", V::KEY_ID);
    for kid in [
        "../../etc/passwd",
        "' OR 1=1 --",
        "https://evil.test/jwks",
        &with_nul,
        "",
    ] {
        let token = TestIssuer::ec(&issuer, kid).sign(&claims);
        verifier.assert_refused(&token, kid).await;
    }
    let attacker = TestIssuer::ec(&issuer, V::KEY_ID);
    let foreign = KeyServer::start(attacker.jwks().to_string().into_bytes()).await;
    for (name, value) in [
        ("jku", json!(foreign.url)),
        ("x5u", json!(foreign.url)),
        ("jwk", attacker.jwk()),
        ("typ", json!("JWT")),
    ] {
        let mut header = json!({ "alg": "ES256", "kid": V::KEY_ID });
        header[name] = value;
        let token = attacker.sign_under(&header, &claims);
        verifier.assert_refused(&token, name).await;
    }
    assert_eq!(foreign.requests(), 0);
}

async fn case_05_foreign_audience_or_client_is_refused<V: Verifying>() {
    let verifier = V::start().await;
    for claims in verifier.foreign_claims() {
        verifier.assert_claims_refused(&claims).await;
    }
}

async fn case_06_lookalike_issuer_is_refused<V: Verifying>() {
    let verifier = V::start().await;
    for issuer in verifier.lookalike_issuers() {
        let mut claims = verifier.claims();
        claims["iss"] = json!(issuer);
        verifier.assert_claims_refused(&claims).await;
    }
    assert_eq!(
        verifier.requests(),
        0,
        "a token of a foreign issuer leads to no request"
    );
}

async fn case_07_id_and_access_tokens_are_not_interchangeable<V: Verifying>() {
    let verifier = V::start().await;
    for token in verifier.id_tokens() {
        verifier.assert_refused(&token, "an ID token").await;
    }
    for token in verifier.not_id_tokens() {
        assert_eq!(verifier.judge_id(&token).await, Verdict::Refused, "{token}");
    }
}

async fn case_09_missing_or_odd_claim_is_refused<V: Verifying>() {
    let verifier = V::start().await;
    for name in V::REQUIRED_CLAIMS {
        let mut claims = verifier.claims();
        claims.as_object_mut().unwrap().remove(*name);
        verifier.assert_claims_refused(&claims).await;
    }
    for (name, value) in V::odd_claims() {
        let mut claims = verifier.claims();
        claims[name] = value;
        verifier.assert_claims_refused(&claims).await;
    }
}

async fn case_10_duplicate_claim_is_refused<V: Verifying>() {
    let verifier = V::start().await;
    for name in V::UNIQUE_CLAIMS {
        let first = format!("{{\"{name}\":\"another\",");
        let claims = verifier.claims().to_string().replacen('{', &first, 1);
        let raw = RawValue::from_string(claims).unwrap();
        let token = verifier.signer().sign_raw(&raw);
        verifier.assert_refused(&token, name).await;
    }
}

async fn case_11_unknown_keys_cause_few_issuer_requests<V: Verifying>() {
    let verifier = V::start().await;
    let token = verifier.token();
    verifier.assert_accepted(&token).await;
    let strangers: Vec<String> = (0..50)
        .map(|number| {
            let stranger = TestIssuer::ec(&verifier.signer().name, &format!("stranger-{number}"));
            stranger.sign(&verifier.claims())
        })
        .collect();
    let begun = Instant::now();
    let verdicts = strangers.iter().map(|token| verifier.judge_later(token));
    for verdict in join_all(verdicts).await {
        assert_eq!(verdict, Verdict::Refused);
    }
    let (requests, allowed) = (
        verifier.key_requests(),
        V::key_requests_allowed(begun.elapsed()),
    );
    assert!(allowed.contains(&requests), "{requests} not in {allowed:?}");
    assert_eq!(verifier.judge_later(&token).await, Verdict::Accepted);
}

async fn case_12_rotated_key_is_found<V: Verifying>() {
    let verifier = V::start().await;
    let token = verifier.token();
    verifier.assert_accepted(&token).await;
    let next = TestIssuer::ec(&verifier.signer().name, "next-key");
    verifier.publish_keys(json!({ "keys": [verifier.signer().jwk(), next.jwk()] }));
    assert_accepted_in_the_end(&verifier, &next.sign(&verifier.claims())).await;
    assert_eq!(verifier.judge_later(&token).await, Verdict::Accepted);
}

async fn case_14_one_subject_of_two_issuers_is_two_people<V: Verifying>() {
    let part = V::PART;
    let reason = format!(
        "it accepts tokens of one {part}; case 06 shows that tokens of another {part} are refused"
    );
    suite::skip(V::NAME, "case_14", &reason);
}

async fn malformed_tokens_are_refused<V: Verifying>() {
    let verifier = V::start().await;
    let token = verifier.token();
    let long = "x".repeat(20_000);
    let tampered = token.replacen('.', ".e", 1);
    let cut = &token[..token.len() - 4];
    let common = ["", ".", "..", "a.b.c", &long, &tampered, cut];
    for text in common.into_iter().chain(V::OTHER_MALFORMED.iter().copied()) {
        verifier.assert_refused(text, text).await;
    }
    verifier.assert_accepted(&token).await;
}
