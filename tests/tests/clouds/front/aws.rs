//! The events of API Gateway, function URLs and load balancers differ. These tests send them as
//! Lambda does.

use serde_json::{Value, json};
use wm_core::http::Request;
use wm_tests::{
    harness::Harness,
    lambda::Outcome,
    suite,
    surfaces::aws::{AwsSurface, Behind, Options, event, event::Front},
    up::{Aws, Served},
};

use super::{Functions, get, starts};
use crate::harness::Cloud;

scenarios!(AwsSurface);

async fn behind(front: Front) -> AwsSurface {
    let options = Options {
        front,
        ..Options::default()
    };
    AwsSurface::with(options).await
}

/// The scenarios with unusual paths, queries, headers and bodies, behind a front other than API
/// Gateway.
macro_rules! strange_requests {
    ($front:ident) => {
        strange_requests! { $front:
            journey::whole_journey_succeeds,
            refusals::case_24_malformed_ids_are_not_found,
            refusals::malformed_bodies_are_refused_before_ids_are_checked,
            refusals::body_of_exactly_the_limit_is_accepted,
            refusals::paths_without_the_method_answer_405,
            isolation::case_20_edited_and_forged_cursors_are_refused,
            conventions::page_limits_are_checked_on_every_list,
            conventions::traces_and_request_ids_are_passed_on,
        }
    };
    ($front:ident: $($module:ident::$name:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            suite::$module::$name(&behind(Front::$front).await).await;
        }
    )*};
}

mod function_url {
    use super::{Front, behind, suite};

    strange_requests!(FunctionUrl);
}

mod load_balancer {
    use super::{Front, behind, suite};

    strange_requests!(LoadBalancer);
}

fn worker(function: &str) -> Behind {
    match function {
        "relay" => Behind::Relay,
        "ingest" => Behind::Ingest,
        "notify" => Behind::Notify,
        other => panic!("`{other}` has no events"),
    }
}

impl Functions for AwsSurface {
    const REQUIRED: &[&str] = &[
        "AWS_DYNAMODB_TABLE",
        "AWS_COGNITO_CLIENTS",
        "AWS_SECRETS_MANAGER_SECRET",
        "AWS_SSM_PATH",
    ];
    const SIGNATURE: &str = "X-Amz-Signature";

    fn secrets(&self) -> Vec<String> {
        let secret = format!(
            "a secret of {} that nobody would guess",
            self.resources.secret
        );
        vec![
            secret,
            "AWS_SECRET_ACCESS_KEY".to_owned(),
            Self::SIGNATURE.to_owned(),
        ]
    }

    async fn logs(&self) -> Vec<Vec<String>> {
        let mut logs = vec![self.api().lines()];
        for which in [Behind::Relay, Behind::Ingest, Behind::Notify, Behind::Sweep] {
            logs.push(self.function(which).await.lines());
        }
        logs
    }

    /// Every declared metric exists and is a number.
    fn check_metrics(entry: &Value) -> Option<bool> {
        entry.get("_aws")?;
        assert!(entry["_aws"]["Timestamp"].is_u64(), "{entry}");
        for directive in entry["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert!(directive["Namespace"].is_string(), "{entry}");
            for names in directive["Dimensions"].as_array().unwrap() {
                for name in names.as_array().unwrap() {
                    assert!(entry[name.as_str().unwrap()].is_string(), "{entry}");
                }
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                assert!(
                    entry[metric["Name"].as_str().unwrap()].is_number(),
                    "{entry}"
                );
            }
        }
        Some(true)
    }

    async fn survives(&self, function: &str, event: &Value) {
        let outcome = self.function(worker(function)).await.invoke(event).await;
        assert!(
            matches!(outcome, Outcome::Answered(_) | Outcome::Failed(_)),
            "{outcome:?}"
        );
    }

    async fn starts(&self, function: &str) -> usize {
        starts(&self.function(worker(function)).await.lines())
    }

    async fn log_without(variable: &str) -> Vec<String> {
        let surface = Self::with_environment(vec![(variable.to_owned(), String::new())]).await;
        let why = surface.api().broken().await;
        assert!(why.contains("exit status: 1"), "{why}");
        surface.api().lines()
    }

    async fn serve() -> Served {
        Served::start(Aws::open(AwsSurface::start().await).await).await
    }
}

const FRONTS: [Front; 3] = [Front::ApiGateway, Front::FunctionUrl, Front::LoadBalancer];

/// The function answers requests with any path and query, and continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn function_survives_any_target() {
    let surface = AwsSurface::single().await;
    let odd = [
        "",
        "/",
        "//",
        "/v1//accounts",
        "/v1/%",
        "/v1/%zz",
        "/v1/%00",
        "/v1/%0d%0aset-cookie:x",
        "/v1/ ",
        "/v1/é",
        "/v1/\u{1f600}",
        "/v1/../../etc/passwd",
        "/v1/%2e%2e/%2e%2e",
        "/v1/a?b",
        "/v1/a#b",
        "http://evil.test/v1/accounts",
        "/v1/[::1]",
        "/v1/\\",
        "/v1/^`{|}",
        "*",
    ];
    for front in FRONTS {
        for path in odd {
            for query in [
                "",
                "limit=%",
                "limit=%zz&&=",
                "é=é",
                "a=b c",
                "%00=%00",
                "limit=1&limit=2",
                "=",
            ] {
                let answer = surface.send(front, &get(path, query)).await;
                assert!(
                    (400..500).contains(&answer.status),
                    "{front:?} {path} {query}: {}",
                    answer.status
                );
                let kind = answer.header("content-type");
                assert_eq!(
                    kind,
                    Some("application/problem+json"),
                    "{front:?} {path} {query}"
                );
            }
        }
    }
    let live = surface.send_as_is(&get("/health/live", "")).await;
    assert_eq!(live.status, 200);
    let starts = starts(&surface.api().lines());
    assert_eq!(starts, 1, "an instance ended over a request");
}

/// Methods outside the contract, and bodies that no client of the product sends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn function_survives_any_body() {
    let surface = AwsSurface::start().await;
    let token = surface.access_token("ana@example.com");
    for front in FRONTS {
        for (media_type, body) in [
            ("application/json", vec![0xff, 0xfe]),
            ("application/json", b"{".to_vec()),
            (
                "application/json; charset=latin1",
                "{\"name\":\"é\"}".into(),
            ),
            ("application/octet-stream", vec![0; 1000]),
            ("multipart/form-data; boundary=x", b"--x--".to_vec()),
            ("", vec![b'['; 100_000]),
        ] {
            for method in ["POST", "PUT", "TRACE", "OPTIONS", "QUERY"] {
                let request = Request {
                    method: method.into(),
                    headers: vec![
                        ("authorization".into(), format!("Bearer {token}")),
                        ("content-type".into(), media_type.into()),
                        ("cookie".into(), "a=b; c=d".into()),
                    ],
                    body: body.clone(),
                    ..get("/v1/accounts", "")
                };
                let answer = surface.send(front, &request).await;
                assert!(
                    (400..500).contains(&answer.status),
                    "{front:?} {method} {media_type}: {}",
                    answer.status
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_about_foreign_objects_and_changes_are_ignored() {
    let surface = AwsSurface::start().await;
    let ingest = surface.function(Behind::Ingest).await;
    for (bucket, key) in [
        ("somebody-elses-bucket", "accounts/x"),
        (surface.resources.bucket.as_str(), "elsewhere/x"),
    ] {
        let created = event::object_created(bucket, key);
        ingest.invoke(&created).await.answer();
    }
    let mut record = event::sample("stream-record");
    record["eventName"] = "MODIFY".into();
    let relay = surface.function(Behind::Relay).await;
    let answer = relay.invoke(&json!({ "Records": [record] })).await;
    assert_eq!(answer.answer(), json!({ "batchItemFailures": [] }));
}
