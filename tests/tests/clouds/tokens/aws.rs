//! Tokens like Cognito's, sent to the real function.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wm_core::{http::Request, value::Timestamp};
use wm_service::clock::now;
use wm_test_results::Recording;
use wm_tests::{
    client::Person,
    harness::Harness,
    issuer::TestIssuer,
    key_server::Behaviour,
    surfaces::aws::{AwsSurface, cognito::POOL},
};

use super::{ANA, Verdict, Verifying, assert_accepted_in_the_end};
use crate::harness::Cloud;

scenarios!(AwsSurface);

impl Verifying for AwsSurface {
    const NAME: &str = "aws";
    const PART: &str = "pool";
    const KEY_ID: &str = "access-key";
    const REQUIRED_CLAIMS: &[&str] = &["exp", "sub", "iss", "client_id", "token_use"];
    const UNIQUE_CLAIMS: &[&str] = &["sub"];

    async fn start() -> Self {
        Self::single().await
    }

    fn signer(&self) -> &TestIssuer {
        &self.pool.access
    }

    fn published_keys(&self) -> Value {
        self.pool.jwks()
    }

    fn claims(&self) -> Value {
        self.pool.access_claims(ANA, now())
    }

    fn foreign_claims(&self) -> Vec<Value> {
        let clients = [json!("another"), json!(""), json!(null), json!(7)];
        let all = clients.map(|client| {
            let mut claims = self.claims();
            claims["client_id"] = client;
            claims
        });
        // An audience in place of a client.
        let mut claims = self.claims();
        claims["aud"] = claims["client_id"].take();
        claims.as_object_mut().unwrap().remove("client_id");
        all.into_iter().chain([claims]).collect()
    }

    fn lookalike_issuers(&self) -> Vec<String> {
        let host = "https://cognito-idp.us-east-1.amazonaws.com";
        vec![
            format!("{host}/{POOL}/"),
            format!("{host}/{POOL}2"),
            format!("{host}/us-east-1_Other"),
            format!("{host}.evil.test/{POOL}"),
            format!("https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"),
            format!("http://cognito-idp.us-east-1.amazonaws.com/{POOL}"),
            self.keys.url.clone(),
            String::new(),
        ]
    }

    fn odd_claims() -> Vec<(&'static str, Value)> {
        vec![
            ("exp", json!("soon")),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("nbf", json!("now")),
        ]
    }

    /// Includes one with a client, like an access token.
    fn id_tokens(&self) -> Vec<String> {
        let mut disguised = self.pool.id_claims(ANA, now());
        disguised["client_id"] = disguised["aud"].clone();
        vec![self.id_token(ANA), self.pool.id.sign(&disguised)]
    }

    fn not_id_tokens(&self) -> Vec<String> {
        vec![
            self.access_token(ANA),
            self.id_token("eve@example.com"),
            self.pool.access.sign(&json!({})),
        ]
    }

    /// Requests the caller's own session.
    async fn judge(&self, token: &str) -> Verdict {
        let request = Request {
            method: "GET".into(),
            path: "/v1/session".into(),
            headers: vec![("authorization".into(), format!("Bearer {token}"))],
            ..Request::default()
        };
        let answer = self.send_as_is(&request).await;
        let has = |name| answer.header(name).is_some();
        match answer.status {
            200 => Verdict::Accepted,
            401 if has("www-authenticate") => Verdict::Refused,
            503 if has("retry-after") => Verdict::Unavailable,
            status => {
                let text = String::from_utf8_lossy(&answer.body);
                panic!("{status}: {text}\n{}", self.api().last_lines())
            }
        }
    }

    async fn judge_later(&self, token: &str) -> Verdict {
        self.judge(token).await
    }

    /// Presents it as the ID token of Ana, who is signed in.
    async fn judge_id(&self, token: &str) -> Verdict {
        let ana = Person::new(self, "ana");
        ana.get("/v1/session").await.expect(200);
        let shown = json!({ "id_token": token });
        let shown = ana.post("/v1/session/identity", shown).await;
        match shown.status {
            200 => Verdict::Accepted,
            400 | 403 => Verdict::Refused,
            status => panic!("{status} {}", shown.body),
        }
    }

    fn key_requests(&self) -> usize {
        self.keys.requests()
    }

    /// At most one request every five seconds.
    fn key_requests_allowed(elapsed: Duration) -> RangeInclusive<usize> {
        1..=2 + usize::try_from(elapsed.as_secs() / 5).unwrap()
    }

    fn publish_keys(&self, keys: Value) {
        let keys = keys.to_string().into_bytes();
        self.keys.set(Behaviour::Answer(keys));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_08_times_are_checked_to_the_second() {
    let surface = AwsSurface::single().await;
    let seconds = now().millis() / 1000;
    for (name, time) in [
        ("exp", seconds),
        ("exp", seconds - 1),
        ("exp", 0),
        ("exp", -1),
        ("nbf", seconds + 60),
    ] {
        let mut claims = surface.claims();
        claims[name] = json!(time);
        surface.assert_claims_refused(&claims).await;
    }
    let mut claims = surface.claims();
    claims["exp"] = json!(seconds + 60);
    claims["nbf"] = json!(seconds);
    let token = surface.signer().sign(&claims);
    surface.assert_accepted(&token).await;
    let expired = surface.expired_token(ANA);
    surface.assert_refused(&expired, "an hour ago").await;
    let old = surface.pool.access_claims(ANA, Timestamp::from_millis(0));
    surface.assert_claims_refused(&old).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_13_failing_issuer_makes_requests_retry_later() {
    let huge = vec![b' '; 300 * 1024];
    for behaviour in [
        Behaviour::Status(500),
        Behaviour::Status(302),
        Behaviour::Answer(huge),
        Behaviour::Answer(Vec::new()),
        Behaviour::Hang,
    ] {
        let surface = AwsSurface::single().await;
        let token = surface.token();
        surface.keys.set(behaviour.clone());
        let begun = Instant::now();
        assert_eq!(surface.judge(&token).await, Verdict::Unavailable);
        assert!(
            begun.elapsed() < Duration::from_secs(8),
            "{:?}",
            begun.elapsed()
        );
        if let Behaviour::Status(500) = behaviour {
            surface.publish_keys(surface.pool.jwks());
            assert_accepted_in_the_end(&surface, &token).await;
            // Known keys stay usable during an outage of the issuer.
            surface.keys.set(Behaviour::Status(500));
            surface.assert_accepted(&token).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_15_unverified_email_address_proves_nothing() {
    let distrusted = vec![("AWS_COGNITO_TRUSTS_EMAIL".to_owned(), "false".to_owned())];
    for (environment, verified) in [
        (Vec::new(), json!(false)),
        (Vec::new(), json!("false")),
        (Vec::new(), json!(null)),
        (distrusted, json!(true)),
    ] {
        let surface = AwsSurface::with_environment(environment).await;
        let token = surface.token();
        let ana = Person::with_token(&surface, Some(&token));
        let mut claims = surface.pool.id_claims(ANA, now());
        claims["email_verified"] = verified;
        let shown = json!({ "id_token": surface.pool.id.sign(&claims) });
        ana.post("/v1/session/identity", shown)
            .await
            .expect(400)
            .expect_field("id_token");
        let session = ana.get("/v1/session").await.expect(200);
        assert!(!session.body.to_string().contains(ANA), "{}", session.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_16_groups_grant_nothing() {
    let _recording = Recording::start();
    let surface = AwsSurface::single().await;
    let (ana, eve) = (Person::new(&surface, "ana"), Person::new(&surface, "eve"));
    let account = ana.account().await;
    // Every token here has the group `admin`, and so has the gateway's event. The token below
    // claims more groups and roles.
    eve.get(&format!("/v1/accounts/{account}"))
        .await
        .expect(404);
    let mut claims = surface.pool.access_claims("eve@example.com", now());
    for name in ["cognito:groups", "cognito:roles", "roles", "role", "scope"] {
        claims[name] = json!(["admin", "owner", account]);
    }
    let loud = surface.pool.access.sign(&claims);
    let eve = Person::with_token(&surface, Some(&loud));
    eve.get(&format!("/v1/accounts/{account}"))
        .await
        .expect(404);
}
