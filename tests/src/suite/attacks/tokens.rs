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

/// All that a refusal says, but for which request it was.
fn words(refused: Answered) -> (u16, Option<String>, Value) {
    let challenge = refused.raw.header("www-authenticate").map(str::to_owned);
    let mut problem = refused.body;
    problem["request_id"] = Value::Null;
    (refused.status, challenge, problem)
}

/// What whoever has no token is told, and whoever has a bad one.
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

/// Whatever is wrong with a token, the refusal is the same to the letter: it does not help to guess what
/// would do (cases 1 to 10).
pub async fn every_forged_token_is_refused<H: Signing>(surface: &H) {
    let issuer = TestIssuer::ec(&surface.issuer().name, "attacker");
    let elsewhere = KeyServer::start(issuer.jwks().to_string().into_bytes()).await;
    let attacker = Attacker {
        issuer,
        address: elsewhere.url.clone(),
    };
    let ana = Person::new(surface, "ana");
    let account = ana.account().await;
    let nobody = Person::with_token(surface, None);
    assert_eq!(words(nobody.get(SESSION).await), refusal());
    for (what, token) in forgery::all(surface, &attacker) {
        let forger = Person::with_token(surface, Some(&token));
        assert_eq!(words(forger.get(SESSION).await), refusal(), "{what}");
    }
    assert_eq!(elsewhere.requests(), 0, "keys were asked for elsewhere");
    two_tokens_are_none(surface).await;
    claims_confer_nothing(surface, &account).await;
    ana.get(SESSION).await.expect(200);
}

/// Two headers, good or not, whichever comes first: gateways differ in which one they would take.
async fn two_tokens_are_none<H: Signing>(surface: &H) {
    let good = format!("Bearer {}", surface.access_token("ana@example.com"));
    let nobody = Person::with_token(surface, None);
    let bad = "Bearer e30.e30.e30";
    for pair in [[good.as_str(), bad], [bad, &good], [&good, &good]] {
        let headers = pair.map(|value| ("authorization", value));
        let refused = nobody.send("GET", SESSION, &headers, None).await;
        assert_eq!(words(refused), refusal());
    }
}

/// A good token that says its bearer is an administrator is a good token, and no more (case 16).
async fn claims_confer_nothing<H: Signing>(surface: &H, account: &str) {
    let token = forgery::adorned(surface, "eve@example.com", account);
    let eve = Person::with_token(surface, Some(&token));
    let session = eve.get(SESSION).await.expect(200);
    for list in ["accounts", "teams", "projects", "grants"] {
        assert_eq!(session.body[list], json!([]), "{list}");
    }
    let path = format!("/v1/accounts/{account}");
    eve.get(&path).await.expect(404).expect_problem("not-found");
    eve.delete(&path).await.expect(404);
}
