//! Refusals of every route, derived from the route table.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wm_core::{
    http::Request,
    operation::{Handler, Route},
    operations,
};

use crate::{
    client::{Answered, Person},
    harness::Harness,
    suite::fixture::{Fixture, parameters, takes_body},
};

/// The routes that require a signed-in person.
pub fn private_routes() -> impl Iterator<Item = &'static Route> {
    operations::routes().filter(|route| matches!(route.handler, Handler::UseCase(_)))
}

/// The routes that read a body.
fn routes_with_body() -> impl Iterator<Item = &'static Route> {
    private_routes().filter(|route| takes_body(route))
}

/// A missing, malformed or expired token gives 401, whatever the rest of the request is.
pub async fn every_route_requires_a_valid_token<H: Harness>(surface: &H) {
    let fixture = Fixture::found(&Person::new(surface, "ana")).await;
    let expired = surface.expired_token("ana@example.com");
    for token in [None, Some("e30.e30.e30"), Some(expired.as_str())] {
        let anonymous = Person::with_token(surface, token);
        for route in private_routes() {
            let refused = fixture.call(&anonymous, route).await;
            let refused = refused.expect(401).expect_problem("unauthenticated");
            assert!(refused.raw.header("www-authenticate").is_some());
        }
    }
}

/// A method that a path does not support gives 405 before the token is checked.
pub async fn paths_without_the_method_answer_405<H: Harness>(surface: &H) {
    let fixture = Fixture::found(&Person::new(surface, "ana")).await;
    let anonymous = Person::with_token(surface, None);
    let taken: BTreeSet<_> = operations::routes()
        .map(|route| (fixture.path(route), route.method.as_str()))
        .collect();
    let paths: BTreeSet<_> = taken.iter().map(|(path, _)| path.clone()).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if !taken.contains(&(path.clone(), method)) {
                let answer = anonymous.send(method, &path, &[], None).await;
                answer.expect(405).expect_problem("method-not-allowed");
            }
        }
    }
    anonymous
        .get("/v1/nothing")
        .await
        .expect(404)
        .expect_problem("not-found");
}

/// A malformed id gives 404 and cannot forge a database key.
pub async fn case_24_malformed_ids_are_not_found<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let before = fixture.row_counts(&ana).await;
    for route in private_routes() {
        for name in parameters(route) {
            let good = fixture.id(name);
            let (upper, longer) = (good.to_uppercase(), format!("{good}%23MEMBER"));
            let slash = format!("{good}%2f..%2f{good}");
            let numeric = ["0", "-1", "01", "1.0", "4294967296", "%201"];
            let textual = [upper.as_str(), &longer, &slash, "%00", "%C3%A9", "x"];
            for wrong in if name == "number" { numeric } else { textual } {
                let malformed = fixture.with(name, wrong);
                malformed
                    .call(&ana, route)
                    .await
                    .expect(404)
                    .expect_problem("not-found");
            }
        }
    }
    assert_eq!(fixture.row_counts(&ana).await, before);
}

async fn send_raw<H: Harness>(
    person: &Person<'_, H>,
    (route, path): (&Route, &str),
    content_type: &str,
    body: Vec<u8>,
) -> Answered {
    let headers = vec![("content-type".into(), content_type.into())];
    person
        .send_bytes(route.method.as_str(), path, headers, body)
        .await
}

/// A body that is too large gives 413, another media type 415, and a body that is not a JSON object
/// 400, before ids are checked.
pub async fn malformed_bodies_are_refused_before_ids_are_checked<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let json = "application/json";
    for route in routes_with_body() {
        for fixture in [&fixture, &fixture.with_missing_ids()] {
            let path = fixture.path(route);
            let target = (route, path.as_str());
            let large = vec![b' '; Request::BODY_LIMIT + 1];
            let refused = send_raw(&ana, target, json, large).await;
            refused.expect(413).expect_problem("payload-too-large");
            let body = fixture.body(route).to_string().into_bytes();
            let refused = send_raw(&ana, target, "text/plain", body).await;
            refused.expect(415).expect_problem("unsupported-media-type");
            for text in ["{", "[]", "null", "\"text\"", "{} {}", "\u{feff}{}"] {
                let refused = send_raw(&ana, target, json, text.into()).await;
                refused.expect(400).expect_problem("invalid-request");
            }
        }
    }
}

/// Clients cannot set fields of the application: unknown fields are refused by name.
pub async fn case_26_read_only_fields_are_refused_by_name<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let before = fixture.row_counts(&ana).await;
    let fields = [
        "role",
        "account_id",
        "version",
        "created_by",
        "owners",
        "id",
    ];
    for route in routes_with_body() {
        for field in fields {
            let mut body = fixture.body(route);
            if body.get(field).is_some() || is_field(route, field) {
                continue;
            }
            body[field] = json!("owner");
            let path = fixture.path(route);
            let refused = ana
                .send(route.method.as_str(), &path, &[], Some(body))
                .await;
            refused.expect(400).expect_field(field);
        }
    }
    assert_eq!(fixture.row_counts(&ana).await, before);
}

/// Whether a route's documented body has this field.
fn is_field(route: &Route, field: &str) -> bool {
    let document = wm_core::http::openapi::document();
    let method = route.method.as_str().to_lowercase();
    let schema = &document["paths"][route.path][&method]["requestBody"]["content"]["application/json"]
        ["schema"];
    let schema: &Value = schema["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.trim_start_matches('#')))
        .unwrap_or(schema);
    schema["properties"].get(field).is_some()
}

/// A body of exactly 1 MiB, the limit, is accepted.
pub async fn body_of_exactly_the_limit_is_accepted<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let body = json!({ "name": "Atelier", "kind": "organisation" });
    let mut body = body.to_string().into_bytes();
    body.resize(Request::BODY_LIMIT, b' ');
    let headers = vec![(
        "content-type".into(),
        "application/json; charset=utf-8".into(),
    )];
    ana.send_bytes("POST", "/v1/accounts", headers, body)
        .await
        .expect(201);
}
