//! Conventions of all routes: preconditions, repetition, pages, traces.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wm_core::{
    operation::{Precondition, Route},
    operations,
};

use crate::{
    client::{Person, declaration},
    harness::Harness,
    suite::{fixture::Fixture, refusals::private_routes},
};

fn lists() -> impl Iterator<Item = &'static Route> {
    private_routes().filter(|route| route.query.iter().any(|known| known.name == "limit"))
}

/// Every route with a required `If-Match` answers 428 without it and 412 with a stale ETag.
pub async fn case_58_stale_etag_is_refused_by_every_operation<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let needing = operations::routes().filter(|route| route.precondition == Precondition::Required);
    for route in needing {
        let (path, body) = (fixture.path(route), fixture.body(route));
        let method = route.method.as_str();
        let without = ana.send(method, &path, &[], Some(body.clone())).await;
        without.expect(428).expect_problem("precondition-required");
        let current = ana.get(&path).await.expect(200).etag();
        let stale = format!("\"{}\"", "0".repeat(current.len().saturating_sub(2)));
        for tag in [stale, format!("W/{current}")] {
            let refused = ana
                .send(method, &path, &[("if-match", &tag)], Some(body.clone()))
                .await;
            refused.expect(412).expect_problem("precondition-failed");
        }
        let unreadable = ana
            .send(method, &path, &[("if-match", "nothing")], Some(body))
            .await;
        unreadable.expect_field("If-Match");
        assert_eq!(ana.get(&path).await.expect(200).etag(), current);
    }
    let path = format!("/v1/projects/{}", fixture.id("project"));
    let first = ana.get(&path).await.expect(200).etag();
    let rename = |name: &str| Some(json!({ "name": name }));
    let several = format!("\"00\", {first}");
    let renamed = ana
        .send("PATCH", &path, &[("if-match", &several)], rename("A"))
        .await
        .expect(200);
    assert_ne!(renamed.etag(), first);
    // Headers with the same name form one list, in any order.
    let current = renamed.etag();
    let lines = [("if-match", "\"00\""), ("if-match", current.as_str())];
    let renamed = ana.send("PATCH", &path, &lines, rename("B")).await;
    let renamed = renamed.expect(200);
    assert_eq!(renamed.etag(), ana.get(&path).await.expect(200).etag());
    ana.send("PATCH", &path, &[("if-match", &first)], rename("C"))
        .await
        .expect(412);
    ana.send("PATCH", &path, &[("if-match", "*")], rename("D"))
        .await
        .expect(200);
}

/// `If-Match` is optional for DELETE and PUT.
pub async fn optional_precondition_is_honoured<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let path = format!(
        "/v1/accounts/{}/teams/{}",
        fixture.id("account"),
        fixture.id("team")
    );
    let stale = ana.get(&path).await.expect(200).etag();
    ana.patch(&path, json!({ "name": "Other" }))
        .await
        .expect(200);
    ana.send("DELETE", &path, &[("if-match", &stale)], None)
        .await
        .expect(412);
    let current = ana.get(&path).await.expect(200).etag();
    ana.send("DELETE", &path, &[("if-match", &current)], None)
        .await
        .expect(204);
    ana.get(&path).await.expect(404);
}

/// The same key and body repeat the answer. Another body gives 422 (case 53). Other callers and
/// other paths do not share the key.
pub async fn case_53_idempotency_key_repeats_only_its_answer<H: Harness>(surface: &H) {
    let (ana, eve) = (Person::new(surface, "ana"), Person::new(surface, "eve"));
    let key = [("idempotency-key", "k-1")];
    let body = |name: &str| Some(json!({ "name": name, "kind": "personal" }));
    let first = ana
        .send("POST", "/v1/accounts", &key, body("A"))
        .await
        .expect(201);
    let again = ana
        .send("POST", "/v1/accounts", &key, body("A"))
        .await
        .expect(201);
    assert_eq!((&first.body, first.etag()), (&again.body, again.etag()));
    assert_ne!(
        first.raw.header("x-request-id"),
        again.raw.header("x-request-id")
    );
    let other = ana.send("POST", "/v1/accounts", &key, body("B")).await;
    other.expect(422).expect_problem("idempotency-mismatch");
    let foreign = eve
        .send("POST", "/v1/accounts", &key, body("B"))
        .await
        .expect(201);
    assert_ne!(foreign.id(), first.id());
    let teams = format!("/v1/accounts/{}/teams", first.id());
    ana.send("POST", &teams, &key, Some(json!({ "name": "T" })))
        .await
        .expect(201);
    assert_eq!(ana.list(&teams).await.len(), 1);
    let unreadable = [("idempotency-key", "a b")];
    let refused = ana
        .send("POST", "/v1/accounts", &unreadable, body("C"))
        .await;
    refused.expect_field("Idempotency-Key");
}

/// A repeated declaration returns the same artifact with a usable plan.
pub async fn repeated_declaration_returns_a_usable_plan<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let project = ana.project(&ana.account().await).await;
    let path = format!("/v1/projects/{project}/artifacts");
    let key = [("idempotency-key", "k-1")];
    let body = Some(declaration("a.txt", b"bytes"));
    let first = ana
        .send("POST", &path, &key, body.clone())
        .await
        .expect(201);
    let again = ana.send("POST", &path, &key, body).await.expect(201);
    assert_eq!(first.body["artifact"], again.body["artifact"]);
    assert_eq!(first.body["version"], again.body["version"]);
    let answers = ana.follow(&again.body["upload"], b"bytes").await;
    assert!(
        answers.iter().all(|answer| answer.status < 300),
        "{answers:?}"
    );
    let artifact = first.body["artifact"]["id"].as_str().unwrap();
    let complete = format!("{path}/{artifact}/versions/1/complete");
    ana.post(&complete, json!({})).await.expect(200);
    assert_eq!(ana.list(&path).await.len(), 1);
}

/// The values 0, 201 and a text give 400 and name `limit`, as does any unknown parameter of a list.
pub async fn page_limits_are_checked_on_every_list<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    for route in lists() {
        let path = fixture.path(route);
        for limit in ["0", "201", "-1", "x", ""] {
            let refused = ana.get(&format!("{path}?limit={limit}")).await;
            refused.expect(400).expect_field("limit");
        }
        for limit in ["1", "200"] {
            ana.get(&format!("{path}?limit={limit}")).await.expect(200);
        }
        ana.get(&format!("{path}?offset=1"))
            .await
            .expect(400)
            .expect_field("offset");
        ana.get(&format!("{path}?limit=1&limit=1"))
            .await
            .expect(400)
            .expect_field("limit");
    }
}

/// Pages of two rows contain the rows of one large page, each once and in the same order.
pub async fn case_60_small_pages_contain_every_row_once<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let (account, project) = (fixture.id("account"), fixture.id("project"));
    for number in 0..5 {
        let name = format!("{number}.txt");
        ana.project(account).await;
        ana.declare(project, &name, b"x").await.expect(201);
        let teams = format!("/v1/accounts/{account}/teams");
        let team = ana
            .post(&teams, json!({ "name": name }))
            .await
            .expect(201)
            .id();
        if number % 2 == 0 {
            ana.delete(&format!("{teams}/{team}")).await.expect(204);
        }
    }
    for route in lists() {
        let path = fixture.path(route);
        let whole = ana.list(&format!("{path}?limit=200")).await;
        let paged = ana.list(&format!("{path}?limit=2")).await;
        assert_eq!(whole, paged, "{}", route.operation);
        let distinct: BTreeSet<String> = paged.iter().map(Value::to_string).collect();
        assert_eq!(distinct.len(), paged.len(), "{}", route.operation);
    }
    let count = async |path: String| ana.list(&path).await.len();
    assert_eq!(count(format!("/v1/accounts/{account}/projects")).await, 6);
    assert_eq!(count(format!("/v1/accounts/{account}/teams")).await, 3);
    assert_eq!(count(format!("/v1/projects/{project}/artifacts")).await, 6);
}

/// A well-formed trace continues with a new span, any other is replaced. Problems carry the id of
/// the request.
pub async fn traces_and_request_ids_are_passed_on<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let sent = format!("00-{trace}-{span}-01");
    let answer = ana
        .send("GET", "/v1/session", &[("traceparent", &sent)], None)
        .await;
    let got = answer.raw.header("traceparent").unwrap().to_owned();
    assert!(
        got.starts_with(&format!("00-{trace}-")) && got.ends_with("-01"),
        "{got}"
    );
    assert_ne!(got, sent);
    for wrong in [
        "00-0-0-00",
        &format!("00-{}-{span}-01", "0".repeat(32)),
        "x",
    ] {
        let answer = ana
            .send("GET", "/v1/session", &[("traceparent", wrong)], None)
            .await;
        let got = answer.raw.header("traceparent").unwrap();
        assert!(got.len() == 55 && !got.contains(wrong), "{got}");
    }
    let mut ids = BTreeSet::new();
    for path in ["/v1/nothing", "/v1/accounts/x", "/v1/session?x=1"] {
        let refused = ana.get(path).await;
        let id = refused.raw.header("x-request-id").unwrap().to_owned();
        assert_eq!(refused.body["request_id"], id.as_str());
        assert_eq!(refused.body["status"], refused.status);
        assert!(ids.insert(id));
    }
}
