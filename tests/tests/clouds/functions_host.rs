//! Tests of the Functions host emulator with handlers of a few lines, and of the application's
//! folder.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use serde_json::json;
use tempfile::TempDir;
use wm_tests::functions_host::{
    Host, Outcome, Settings, State, Wrapping,
    app::{App, package},
};

/// The application with this script as its handler.
fn scripted(script: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("script");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let app = package(&program);
    let handler = app.path().join("handler");
    fs::remove_file(&handler).unwrap();
    fs::copy(&program, &handler).unwrap();
    app
}

async fn host(app: &TempDir) -> Host {
    Host::start(Settings {
        timeout: Duration::from_millis(500),
        ..Settings::new(app.path().to_owned(), Vec::new())
    })
    .await
}

/// A handler that gives the same answer to every request.
fn answering(answer: &str) -> String {
    format!(
        r#"exec python3 -c '
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = {answer:?}.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()
    def log_message(self, *words):
        print("asked", flush=True)
port = int(os.environ["FUNCTIONS_CUSTOMHANDLER_PORT"])
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
'"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn third_error_stops_the_host() {
    let app = scripted("echo told; echo wrong >&2; exit 3");
    let host = host(&app).await;
    assert_eq!(host.over().await, State::Stopped("exit status: 3".into()));
    assert_eq!(host.starts(), 3);
    assert_eq!(host.lines(), ["told"; 3]);
    assert_eq!(host.errors(), ["wrong"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_code_0_ends_without_restart() {
    let app = scripted("exit 0");
    let host = host(&app).await;
    assert_eq!(host.over().await, State::Ended);
    assert_eq!(host.starts(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_code_200_is_no_error() {
    let app = scripted("echo again >> ends; test $(wc -l < ends) -gt 5 && exit 0; exit 200");
    let host = host(&app).await;
    assert_eq!(host.over().await, State::Ended);
    assert_eq!(host.starts(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn program_that_never_listens_is_an_error_each_time() {
    let app = scripted("exec sleep 60");
    let host = host(&app).await;
    assert!(matches!(host.over().await, State::Stopped(_)));
    assert_eq!(host.starts(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_valid_results_count_as_success() {
    let result = r#"{"Outputs":{},"Logs":[],"ReturnValue":null}"#;
    for (answer, is_result) in [(result, true), ("{}", false), ("", false)] {
        let app = scripted(&answering(answer));
        let settings = Settings::new(app.path().to_owned(), Vec::new());
        let host = Host::start(settings).await;
        host.ready().await;
        let timer = json!({});
        let outcome = host.invoke("sweep", "timerTrigger", &timer, Wrapping::Plain);
        assert_eq!(outcome.await == Outcome::Done, is_result, "{answer}");
        let asked = |path: &str| reqwest::get(format!("{}{path}", host.url));
        assert_eq!(asked("/v1/x").await.unwrap().status(), 200);
        for outside in ["/relay", "/sweep", "/v1/%2e%2e/sweep", "/admin"] {
            assert_eq!(asked(outside).await.unwrap().status(), 404, "{outside}");
        }
    }
}

/// The properties that the deployment needs, besides those that reading the application checks.
#[test]
fn application_folder_is_complete() {
    let app = package(std::path::Path::new("/bin/true"));
    let read = App::read(app.path());
    assert_eq!(read.executable, app.path().join("handler"));
    let triggers = read
        .functions
        .iter()
        .map(|(name, function)| (name.as_str(), function.trigger.as_str()));
    let triggers: Vec<_> = triggers.collect();
    assert_eq!(
        triggers,
        [
            ("api", "httpTrigger"),
            ("health", "httpTrigger"),
            ("ingest", "eventGridTrigger"),
            ("notify", "eventGridTrigger"),
            ("openapi", "httpTrigger"),
            ("relay", "cosmosDBTrigger"),
            ("sweep", "timerTrigger"),
        ]
    );
    assert_eq!(read.function("relay").retries, Some(-1));
    for route in wm_core::operations::routes() {
        assert!(read.serves(route.path), "{} is not routed", route.path);
    }
    for name in ["relay", "ingest", "notify", "sweep"] {
        assert!(!read.serves(&format!("/{name}")), "{name} is exposed");
    }
    let names: Vec<_> = fs::read_dir(app.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 9, "{names:?}");
}
