//! What stands in front of `api`, and what the functions write to their logs.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wm_core::http::Request;
use wm_tests::{
    client::{Person, object_request},
    harness::Harness,
    lambda::Outcome,
    suite::{self, fixture::Fixture},
    surfaces::aws::{AwsSurface, Behind, Options, event, event::Front},
    up::{Aws, Served, use_it},
};

async fn behind(front: Front) -> AwsSurface {
    let options = Options {
        front,
        ..Options::default()
    };
    AwsSurface::with(options).await
}

/// The scenarios in which paths, queries, headers and bodies are as odd as they get.
macro_rules! behind_each {
    ($($front:ident as $module:ident { $($group:ident::$name:ident,)* })*) => {$(
        mod $module {
            use super::{Front, behind, suite};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    suite::$group::$name(&behind(Front::$front).await).await;
                }
            )*
        }
    )*};
}

behind_each! {
    FunctionUrl as function_url {
        journey::the_whole_journey,
        refusals::case_24_malformed_ids_are_not_found,
        refusals::every_body_is_refused_for_its_syntax_first,
        refusals::a_body_of_exactly_the_limit_is_read,
        refusals::paths_without_the_method_answer_405,
        isolation::case_20_edited_and_forged_cursors_are_refused,
        conventions::limits_of_pages_are_checked_on_every_list,
        conventions::traces_and_request_ids_are_passed_on,
    }
    LoadBalancer as load_balancer {
        journey::the_whole_journey,
        refusals::case_24_malformed_ids_are_not_found,
        refusals::every_body_is_refused_for_its_syntax_first,
        refusals::a_body_of_exactly_the_limit_is_read,
        refusals::paths_without_the_method_answer_405,
        isolation::case_20_edited_and_forged_cursors_are_refused,
        conventions::limits_of_pages_are_checked_on_every_list,
        conventions::traces_and_request_ids_are_passed_on,
    }
}

const FRONTS: [Front; 3] = [Front::ApiGateway, Front::FunctionUrl, Front::LoadBalancer];

fn get(path: &str, query: &str) -> Request {
    Request {
        method: "GET".into(),
        path: path.into(),
        query: query.into(),
        ..Request::default()
    }
}

/// Whatever a path or query holds, the function answers, and goes on answering.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_target_breaks_the_function() {
    let options = Options {
        instances: 1,
        ..Options::default()
    };
    let surface = AwsSurface::with(options).await;
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
    let live = surface
        .send(Front::ApiGateway, &get("/health/live", ""))
        .await;
    assert_eq!(live.status, 200);
    let started = surface
        .api()
        .lines()
        .iter()
        .filter(|line| line.contains("\"started\""))
        .count();
    assert_eq!(started, 1, "an instance ended over a request");
}

/// Methods the contract does not know, and bodies no client of ours sends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_breaks_the_function() {
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

/// An event that is none is an error of the invocation, and nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_events_are_refused_and_forgotten() {
    let surface = AwsSurface::start().await;
    let alien = json!({ "hello": "world" });
    for which in [Behind::Relay, Behind::Ingest, Behind::Notify] {
        let function = surface.function(which).await;
        for event in [
            &alien,
            &json!([]),
            &json!("text"),
            &json!({ "Records": [alien], "detail": 7 }),
        ] {
            let outcome = function.invoke(event).await;
            assert!(
                matches!(outcome, Outcome::Answered(_) | Outcome::Failed(_)),
                "{outcome:?}"
            );
        }
        let started = function
            .lines()
            .iter()
            .filter(|line| line.contains("\"started\""))
            .count();
        assert_eq!(started, 1, "{which:?} ended over an event");
    }
    let foreign = event::object_created("somebody-elses-bucket", "accounts/x");
    surface
        .function(Behind::Ingest)
        .await
        .invoke(&foreign)
        .await
        .answer();
    let outside = event::object_created(&surface.resources.bucket, "elsewhere/x");
    surface
        .function(Behind::Ingest)
        .await
        .invoke(&outside)
        .await
        .answer();
    let mut record = event::sample("stream-record");
    record["eventName"] = "MODIFY".into();
    let answer = surface
        .function(Behind::Relay)
        .await
        .invoke(&json!({ "Records": [record] }))
        .await;
    assert_eq!(answer.answer(), json!({ "batchItemFailures": [] }));
}

/// Everything a function could leak that it must not.
struct Secrets(BTreeSet<String>);

impl Secrets {
    fn of(surface: &AwsSurface) -> Self {
        let secret = format!(
            "a secret of {} that nobody would guess",
            surface.resources.secret
        );
        Self(
            [
                secret,
                "AWS_SECRET_ACCESS_KEY".to_owned(),
                "X-Amz-Signature".to_owned(),
            ]
            .into(),
        )
    }

    fn assert_unsaid(&self, lines: &[String]) {
        for line in lines {
            for secret in &self.0 {
                assert!(!line.contains(secret), "`{secret}` in {line}");
            }
        }
    }
}

/// Checks every line of a function's log; how many were metrics and how many answers to requests.
fn check_log(lines: &[String]) -> (usize, usize) {
    let (mut metrics, mut answers) = (0, 0);
    for line in lines {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        if entry.get("_aws").is_some() {
            metrics += 1;
            check_metrics(&entry);
            continue;
        }
        assert!(
            entry["level"].is_string() && entry["timestamp"].is_string(),
            "{line}"
        );
        if entry["message"] == "answered" {
            answers += 1;
            assert!(
                entry["request_id"].as_str().unwrap().starts_with("req_"),
                "{line}"
            );
            let trace = entry["traceparent"].as_str().unwrap();
            let lengths: Vec<usize> = trace.split('-').map(str::len).collect();
            assert_eq!(lengths, [2, 32, 16, 2], "{line}");
        }
    }
    (metrics, answers)
}

/// The format's own rules: what is declared is there, and is a number.
fn check_metrics(entry: &Value) {
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_and_metrics_are_json_and_tell_no_secret() {
    let surface = AwsSurface::start().await;
    let mut secrets = Secrets::of(&surface);
    let (ana, ben) = (Person::new(&surface, "ana"), Person::new(&surface, "ben"));
    for person in ["ana", "ben"] {
        let email = format!("{person}@example.com");
        secrets.0.extend([
            surface.access_token(&email),
            surface.id_token(&email),
            email,
        ]);
    }
    let estate = Fixture::found(&ana).await;
    let (account, project) = (estate.id("account"), estate.id("project"));
    ana.bring(account, &ben, "member").await;
    secrets.0.insert(ben.invitation_token().await);
    let upload = ana
        .declare(project, "b.txt", b"bytes")
        .await
        .expect(201)
        .body["upload"]
        .clone();
    secrets.0.insert(upload["url"].as_str().unwrap().to_owned());
    surface
        .object(object_request(&upload, b"bytes".to_vec()))
        .await;
    ben.get(&format!("/v1/projects/{project}"))
        .await
        .expect(404);
    let nobody = Person::with_token(&surface, Some("eyJhbGciOiJub25lIn0.e30."));
    nobody.get("/v1/session").await.expect(401);
    secrets.0.insert("eyJhbGciOiJub25lIn0".into());
    surface.drain().await;
    surface.sweep().await;
    let lines = surface.api().lines();
    let (metrics, answers) = check_log(&lines);
    assert!(metrics > 10 && metrics == answers, "{metrics} {answers}");
    secrets.assert_unsaid(&lines);
    for which in [Behind::Relay, Behind::Ingest, Behind::Notify, Behind::Sweep] {
        let lines = surface.function(which).await.lines();
        assert!(!lines.is_empty());
        check_log(&lines);
        secrets.assert_unsaid(&lines);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_names_what_its_environment_lacks() {
    for missing in [
        "AWS_DYNAMODB_TABLE",
        "AWS_COGNITO_CLIENTS",
        "AWS_SECRETS_MANAGER_SECRET",
        "AWS_SSM_PATH",
    ] {
        let said = start_without(missing).await;
        assert!(said.contains(&format!("`{missing}`")), "{missing}: {said}");
    }
}

/// What `api` says when it is started with an empty variable.
async fn start_without(variable: &str) -> String {
    let options = Options {
        environment: vec![(variable.to_owned(), String::new())],
        instances: 1,
        ..Options::default()
    };
    let surface = AwsSurface::with(options).await;
    let why = surface.api().broken().await;
    let lines = surface.api().lines();
    check_log(&lines);
    assert!(why.contains("exit status: 1"), "{why}");
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_served_surface_is_used_with_an_own_client() {
    let served = Served::start(Aws::open(AwsSurface::start().await).await).await;
    use_it(served.url(), served.control()).await;
}
