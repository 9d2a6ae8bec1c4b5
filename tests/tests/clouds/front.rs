//! The fronts of `api`, the events that functions receive, and the logs that they write.

/// Generates a test per cloud from each scenario.
macro_rules! scenarios {
    ($cloud:ty) => {
        $crate::harness::scenarios! { $cloud:
            functions_survive_foreign_events,
            logs_and_metrics_are_json_without_secrets,
            missing_environment_variable_is_named,
            served_surface_answers_another_client,
        }
    };
}

mod aws;
mod azure;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wm_core::http::Request;
use wm_tests::{
    client::{Person, object_request},
    suite::fixture::Fixture,
    up::Served,
};

use crate::{harness::Cloud, up::use_surface};

/// A cloud with the events and logs of its functions.
trait Functions: Cloud {
    /// The environment variables that `api` requires.
    const REQUIRED: &[&str];
    /// The query parameter that holds the signature of a signed URL.
    const SIGNATURE: &str;

    /// The values that no log may contain.
    fn secrets(&self) -> Vec<String>;

    /// The logs of all processes that ran functions, first those of `api`. Complete after a sweep.
    async fn logs(&self) -> Vec<Vec<String>>;

    /// Checks the rules of the metrics format. Returns whether the entry is metrics of `api`, or
    /// none for another entry.
    fn check_metrics(entry: &Value) -> Option<bool>;

    /// Checks the cloud-specific members of an answered request's entry.
    fn check_answered(_entry: &Value) {}

    /// Checks the cloud-specific entries of the logs.
    fn check_all(&self, _lines: &[String]) {}

    /// Invokes a function with an event in its trigger, and asserts that it stays alive.
    async fn survives(&self, function: &str, event: &Value);

    /// The number of starts of a function's process.
    async fn starts(&self, function: &str) -> usize;

    /// The log of `api` without one of its environment variables. It must end with exit code 1.
    async fn log_without(variable: &str) -> Vec<String>;

    /// Serves a surface like `cargo xtask up`.
    async fn serve() -> Served;
}

fn get(path: &str, query: &str) -> Request {
    Request {
        method: "GET".into(),
        path: path.into(),
        query: query.into(),
        ..Request::default()
    }
}

/// The number of times that a process became ready: once, unless it ended.
fn starts(lines: &[String]) -> usize {
    let started = lines.iter().filter(|line| line.contains("\"started\""));
    started.count()
}

/// Functions refuse or ignore events of another shape, and continue.
async fn functions_survive_foreign_events<C: Functions>() {
    let cloud = C::single().await;
    let alien = json!({ "hello": "world" });
    let records = json!({ "Records": [alien], "detail": 7 });
    for function in ["relay", "ingest", "notify"] {
        for event in [
            &alien,
            &json!([]),
            &json!([alien]),
            &json!("text"),
            &json!(7),
            &records,
        ] {
            cloud.survives(function, event).await;
        }
        let starts = cloud.starts(function).await;
        assert_eq!(starts, 1, "{function} ended over an event");
    }
}

/// Checks every line of a log. Returns the number of `api` metrics and the number of answered
/// requests.
fn check_log<C: Functions>(lines: &[String]) -> (usize, usize) {
    let (mut metrics, mut answers) = (0, 0);
    for line in lines {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        if let Some(is_api) = C::check_metrics(&entry) {
            metrics += usize::from(is_api);
            continue;
        }
        assert_has_level_and_time(&entry);
        if entry["message"] == "answered" {
            answers += 1;
            assert!(
                entry["request_id"].as_str().unwrap().starts_with("req_"),
                "{line}"
            );
            let trace = entry["traceparent"].as_str().unwrap();
            let lengths: Vec<usize> = trace.split('-').map(str::len).collect();
            assert_eq!(lengths, [2, 32, 16, 2], "{line}");
            C::check_answered(&entry);
        }
    }
    (metrics, answers)
}

fn assert_has_level_and_time(entry: &Value) {
    let complete = entry["level"].is_string() && entry["timestamp"].is_string();
    assert!(complete, "{entry}");
}

async fn logs_and_metrics_are_json_without_secrets<C: Functions>() {
    let cloud = C::start().await;
    let mut secrets: BTreeSet<String> = cloud.secrets().into_iter().collect();
    let (ana, ben) = (Person::new(&cloud, "ana"), Person::new(&cloud, "ben"));
    for person in ["ana", "ben"] {
        let email = format!("{person}@example.com");
        secrets.extend([cloud.access_token(&email), cloud.id_token(&email), email]);
    }
    let fixture = Fixture::found(&ana).await;
    let (account, project) = (fixture.id("account"), fixture.id("project"));
    ana.bring(account, &ben, "member").await;
    secrets.insert(ben.invitation_token().await);
    let upload = ana
        .declare(project, "b.txt", b"bytes")
        .await
        .expect(201)
        .body["upload"]
        .clone();
    let url = upload["url"].as_str().unwrap();
    let (_, signature) = url.split_once(&format!("{}=", C::SIGNATURE)).unwrap();
    let signature = signature.split('&').next().unwrap();
    secrets.extend([url.to_owned(), signature.to_owned()]);
    cloud
        .object(object_request(&upload, b"bytes".to_vec()))
        .await;
    ben.get(&format!("/v1/projects/{project}"))
        .await
        .expect(404);
    let stranger = Person::with_token(&cloud, Some("eyJhbGciOiJub25lIn0.e30."));
    stranger.get("/v1/session").await.expect(401);
    secrets.insert("eyJhbGciOiJub25lIn0".into());
    cloud.drain().await;
    cloud.sweep().await;
    for (place, lines) in cloud.logs().await.into_iter().enumerate() {
        assert!(!lines.is_empty());
        let (metrics, answers) = check_log::<C>(&lines);
        let is_api = place == 0;
        assert!(
            !is_api || (metrics > 10 && metrics == answers),
            "{metrics} {answers}"
        );
        for line in &lines {
            for secret in &secrets {
                assert!(!line.contains(secret), "`{secret}` in {line}");
            }
        }
        cloud.check_all(&lines);
    }
}

async fn missing_environment_variable_is_named<C: Functions>() {
    for missing in C::REQUIRED {
        let lines = C::log_without(missing).await;
        check_log::<C>(&lines);
        let log = lines.join("\n");
        assert!(log.contains(&format!("`{missing}`")), "{missing}: {log}");
    }
}

async fn served_surface_answers_another_client<C: Functions>() {
    let served = C::serve().await;
    use_surface(served.url(), served.control()).await;
}
