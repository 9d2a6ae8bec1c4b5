//! Fails if the conformance suite does not test the refusals of a route.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use wm_core::{
    http::Request,
    operation::{Handler, Route},
    operations,
    record::CloudEvent,
};
use wm_tests::{
    harness::{Answer, Harness, ObjectRequest},
    openapi,
    suite::{fixture::parameters, isolation, refusals},
    surfaces::memory::MemorySurface,
};

type Seen = BTreeMap<(String, &'static str), BTreeSet<u16>>;

/// The surface in memory, with the statuses that each route answered.
struct Recording {
    inner: MemorySurface,
    seen: Mutex<Seen>,
}

impl Recording {
    fn new() -> Self {
        Self {
            inner: MemorySurface::new(),
            seen: Mutex::default(),
        }
    }

    fn saw(&self, route: &Route, status: u16) -> bool {
        let key = (route.method.as_str().to_owned(), route.path);
        let seen = self.seen.lock().unwrap();
        seen.get(&key)
            .is_some_and(|statuses| statuses.contains(&status))
    }
}

impl Harness for Recording {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn call(&self, request: Request) -> Answer {
        let template = openapi::template(&request.method, &request.path);
        let method = request.method.clone();
        let answer = self.inner.call(request).await;
        if let Some(template) = template {
            let mut seen = self.seen.lock().unwrap();
            seen.entry((method, template))
                .or_default()
                .insert(answer.status);
        }
        answer
    }

    async fn object(&self, request: ObjectRequest) -> Answer {
        self.inner.object(request).await
    }

    fn access_token(&self, email: &str) -> String {
        self.inner.access_token(email)
    }

    fn expired_token(&self, email: &str) -> String {
        self.inner.expired_token(email)
    }

    fn id_token(&self, email: &str) -> String {
        self.inner.id_token(email)
    }

    async fn drain(&self) {
        self.inner.drain().await;
    }

    async fn events(&self) -> Vec<CloudEvent> {
        self.inner.events().await
    }

    async fn mails(&self, to: &str) -> Vec<String> {
        self.inner.mails(to).await
    }

    async fn sweep(&self) {
        self.inner.sweep().await;
    }

    fn pass(&self, duration: Duration) -> Result<(), &'static str> {
        self.inner.pass(duration)
    }
}

fn missed(
    recording: &Recording,
    status: u16,
    wanted: impl Fn(&Route) -> bool,
) -> Vec<&'static str> {
    let routes = operations::routes().filter(|route| wanted(route));
    let missed = routes.filter(|route| !recording.saw(route, status));
    missed.map(|route| route.operation).collect()
}

#[tokio::test]
async fn every_route_was_refused_without_a_good_token() {
    let recording = Recording::new();
    refusals::every_route_requires_a_valid_token(&recording).await;
    let private = |route: &Route| matches!(route.handler, Handler::UseCase(_));
    assert_eq!(missed(&recording, 401, private), [""; 0]);
}

#[tokio::test]
async fn every_route_with_an_id_was_refused_to_another_tenant() {
    let recording = Recording::new();
    isolation::case_17_ids_of_another_account_do_not_exist(&recording).await;
    let named = |route: &Route| parameters(route).next().is_some();
    assert_eq!(missed(&recording, 404, named), [""; 0]);
}

#[tokio::test]
async fn every_documented_body_was_refused_for_its_syntax() {
    let recording = Recording::new();
    refusals::malformed_bodies_are_refused_before_ids_are_checked(&recording).await;
    for status in [400, 413, 415] {
        let with_body = |route: &Route| route.body.is_some();
        assert_eq!(missed(&recording, status, with_body), [""; 0]);
    }
}

#[test]
fn public_routes_are_health_contract_and_catalog() {
    let public = operations::routes().filter(|route| !matches!(route.handler, Handler::UseCase(_)));
    let paths: BTreeSet<_> = public.map(|route| route.path).collect();
    let expected = [
        "/health/live",
        "/health/ready",
        "/openapi.json",
        "/v1/catalog",
    ];
    assert_eq!(
        paths,
        BTreeSet::from(expected),
        "a route without a token needs a reason"
    );
}
