//! Cases A: forged tokens.

use serde_json::{Value, json};

use crate::{
    client::{Answered, Person},
    forgery::{self, Attacker},
    harness::Signing,
    issuer::TestIssuer,
    key_server::KeyServer,
};

const SESSION: &str = "/v1/session";

/// The content of a refusal without the id of its request.
fn words(refused: Answered) -> (u16, Option<String>, Value) {
    let challenge = refused.raw.header("www-authenticate").map(str::to_owned);
    let mut problem = refused.body;
    problem["request_id"] = Value::Null;
    (refused.status, challenge, problem)
}

/// The refusal of callers without a token or with an invalid one.
fn refusal() -> (u16, Option<String>, Value) {
    let problem = json!({
        "type": "urn:wm:problem:unauthenticated",
        "title": "Sign in first",
        "status": 401,
        "detail": "send a valid access token as `authorization: Bearer …`",
        "request_id": null,
    });
    (401, Some("Bearer".to_owned()), problem)
}

/// All invalid tokens get exactly the same refusal, so that it does not help to guess a valid one
/// (cases 1 to 10).
pub async fn every_forged_token_is_refused<H: Signing>(surface: &H) {
    let issuer = TestIssuer::ec(&surface.issuer().name, "attacker");
    let elsewhere = KeyServer::start(issuer.jwks().to_string().into_bytes()).await;
    let attacker = Attacker {
        issuer,
        address: elsewhere.url.clone(),
    };
    let ana = Person::new(surface, "ana");
    let account = ana.account().await;
    let anonymous = Person::with_token(surface, None);
    assert_eq!(words(anonymous.get(SESSION).await), refusal());
    for (what, token) in forgery::all(surface, &attacker) {
        let forger = Person::with_token(surface, Some(&token));
        assert_eq!(words(forger.get(SESSION).await), refusal(), "{what}");
    }
    assert_eq!(elsewhere.requests(), 0, "keys were requested elsewhere");
    two_tokens_are_none(surface).await;
    claims_confer_nothing(surface, &account).await;
    ana.get(SESSION).await.expect(200);
}

/// Two headers are refused, in either order and whether valid or not: gateways differ in the one
/// they use.
async fn two_tokens_are_none<H: Signing>(surface: &H) {
    let good = format!("Bearer {}", surface.access_token("ana@example.com"));
    let anonymous = Person::with_token(surface, None);
    let bad = "Bearer e30.e30.e30";
    for pair in [[good.as_str(), bad], [bad, &good], [&good, &good]] {
        let headers = pair.map(|value| ("authorization", value));
        let refused = anonymous.send("GET", SESSION, &headers, None).await;
        assert_eq!(words(refused), refusal());
    }
}

/// A valid token whose claims call its bearer an administrator gives no further rights (case 16).
async fn claims_confer_nothing<H: Signing>(surface: &H, account: &str) {
    let token = forgery::with_cloud_claims(surface, "eve@example.com", account);
    let eve = Person::with_token(surface, Some(&token));
    let session = eve.get(SESSION).await.expect(200);
    for list in ["accounts", "teams", "projects", "grants"] {
        assert_eq!(session.body[list], json!([]), "{list}");
    }
    let path = format!("/v1/accounts/{account}");
    eve.get(&path).await.expect(404).expect_problem("not-found");
    eve.delete(&path).await.expect(404);
}
