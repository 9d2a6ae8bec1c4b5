//! The Functions host, and App Service's front ends before it. The host sends envelopes to the
//! handler over HTTP.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use wm_core::http::Request;
use wm_tests::{
    client::Person,
    functions_host::{Outcome, State, Wrapping},
    harness::{Answer, Harness},
    process,
    process_metrics::Running,
    surfaces::azure::{AzureSurface, Options},
    up::{Azure, Served},
};

use super::{Functions, assert_has_level_and_time, get, starts};

scenarios!(AzureSurface);

impl Functions for AzureSurface {
    const REQUIRED: &[&str] = &[
        "AZURE_COSMOS_CONTAINER",
        "AZURE_ENTRA_CLIENTS",
        "AZURE_EVENTGRID_ENDPOINT",
        "AZURE_KEY_VAULT_ENDPOINT",
        "AZURE_APP_CONFIGURATION_ENDPOINT",
    ];
    const SIGNATURE: &str = "sig";

    fn secrets(&self) -> Vec<String> {
        self.resources.secrets()
    }

    /// One process runs all functions.
    async fn logs(&self) -> Vec<Vec<String>> {
        self.entry(|line| line["target"] == "metrics" && line["Function"] == "sweep")
            .await;
        vec![self.host.lines()]
    }

    fn check_metrics(entry: &Value) -> Option<bool> {
        if entry["target"] != "metrics" {
            return None;
        }
        assert_has_level_and_time(entry);
        for number in ["Duration", "Faults", "DatabaseCalls", "RequestCharge"] {
            assert!(entry[number].is_number(), "{entry}");
        }
        for text in ["Function", "requestId", "operation", "status"] {
            assert!(entry[text].is_string(), "{entry}");
        }
        Some(entry["Function"] == "api")
    }

    fn check_answered(entry: &Value) {
        assert!(entry["span"]["invocation_id"].is_string(), "{entry}");
    }

    fn check_all(&self, lines: &[String]) {
        for function in ["relay", "ingest", "notify", "sweep"] {
            let reported = lines.iter().any(|line| {
                line.contains("\"metrics\"")
                    && line.contains(&format!("\"Function\":\"{function}\""))
            });
            assert!(reported, "{function} reports nothing");
        }
        let errors = self.host.errors();
        assert!(
            errors.is_empty(),
            "the host takes these for errors: {errors:?}"
        );
    }

    async fn survives(&self, function: &str, event: &Value) {
        let trigger = match function {
            "relay" => "cosmosDBTrigger",
            _ => "eventGridTrigger",
        };
        let invoked = self.host.invoke(function, trigger, event, Wrapping::Plain);
        assert_ne!(invoked.await, Outcome::Died, "{function} {event}");
    }

    async fn starts(&self, _: &str) -> usize {
        starts(&self.host.lines())
    }

    async fn log_without(variable: &str) -> Vec<String> {
        let options = Options {
            environment: vec![(variable.to_owned(), String::new())],
            ready: false,
            ..Options::default()
        };
        let surface = AzureSurface::with(options).await;
        let over = surface.host.over().await;
        assert_eq!(over, State::Stopped("exit status: 1".into()), "{variable}");
        assert!(surface.host.errors().is_empty());
        surface.host.lines()
    }

    async fn serve() -> Served {
        Served::start(Azure::open(AzureSurface::start().await)).await
    }
}

/// The headers that App Service's front ends add to every request.
const OUTSIDE: [&str; 10] = [
    "CLIENT-IP",
    "DISGUISED-HOST",
    "Max-Forwards",
    "WAS-DEFAULT-HOSTNAME",
    "X-ARR-LOG-ID",
    "X-ARR-SSL",
    "X-Forwarded-For",
    "X-Original-URL",
    "X-SITE-DEPLOYMENT-ID",
    "X-WAWS-Unencoded-URL",
];

/// The function result that the host expects.
const RESULT: &str = r#"{"Logs":[],"Outputs":{},"ReturnValue":null}"#;

fn post(path: &str, headers: &[(&str, &str)], body: &Value) -> Request {
    let own = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request {
        method: "POST".into(),
        path: path.into(),
        headers: own
            .chain([("content-type".into(), "application/json".into())])
            .collect(),
        body: body.to_string().into_bytes(),
        ..Request::default()
    }
}

/// Sends bytes to the handler directly, bypassing the host, and reads the whole answer. The request
/// asks to close the connection, or the handler closes it by itself.
fn raw(surface: &AzureSurface, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", surface.host.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn raw_get(surface: &AzureSurface, target: &str) -> String {
    let asked = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    raw(surface, asked.as_bytes())
}

fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// An envelope as the host posts it, with further headers.
fn envelope(surface: &AzureSurface, function: &str, more: &str) -> String {
    let body = json!({ "Data": {}, "Metadata": {} }).to_string();
    let asked = format!(
        "POST /{function} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    );
    raw(surface, asked.as_bytes())
}

/// The number of times that the handler became ready: once, unless it ended.
fn started(surface: &AzureSurface) -> usize {
    starts(&surface.host.lines())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triggers_are_not_reachable_from_outside() {
    let surface = AzureSurface::start().await;
    for function in ["relay", "ingest", "notify", "sweep"] {
        for path in [
            format!("/{function}"),
            format!("/{function}/"),
            format!("//{function}"),
            format!("/v1/../{function}"),
            format!("/v1/%2e%2e/{function}"),
            format!("/v1/..%2F{function}"),
            format!("/health/../v1/../{function}"),
        ] {
            let answer = surface
                .send(&post(&path, &[], &json!({ "Data": {}, "Metadata": {} })))
                .await;
            assert_eq!(answer.status, 404, "{path}");
        }
        let own = envelope(&surface, function, "");
        assert_eq!(status(&own), 200, "{own}");
        assert!(own.ends_with(RESULT), "{own}");
        for header in OUTSIDE {
            let answer = envelope(&surface, function, &format!("{header}: x\r\n"));
            assert_eq!(status(&answer), 404, "{header}: {answer}");
            assert!(answer.contains("urn:wm:problem:not-found"), "{answer}");
        }
    }
}

/// A forged envelope that reaches the handler publishes nothing and sends no mail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_envelope_has_no_effect() {
    let surface = AzureSurface::start().await;
    let ana = Person::new(&surface, "ana");
    let account = ana.account().await;
    surface.drain().await;
    let published = surface.events().await;
    let true_event = serde_json::to_value(published.last().unwrap()).unwrap();
    let mut forged = true_event.clone();
    forged["data"]["event"] = "invitation.created".into();
    forged["data"]["seq"] = 99.into();
    let mailed = surface
        .host
        .invoke("notify", "eventGridTrigger", &forged, Wrapping::Plain)
        .await;
    assert!(matches!(mailed, Outcome::Failed(500, _)), "{mailed:?}");
    let scope = format!("ACCOUNT#{account}");
    let entry = |number: u64, gsi: Option<&str>| {
        let surface_id = true_event["data"]["surface"].as_str().unwrap();
        json!({
            "id": "x",
            "pk": scope,
            "sk": format!("JOURNAL#{surface_id}#{number:020}"),
            "gsi1pk": gsi,
            "body": json!({ "forged": true }).to_string(),
        })
    };
    let forged = [
        entry(99, Some("WORK#00")),
        entry(1, Some("WORK#00")),
        entry(1, None),
    ];
    assert!(surface.host.deliver_changes("relay", &forged).await);
    surface.drain().await;
    assert_eq!(surface.events().await.len(), published.len());
    assert_eq!(surface.mails("ana@example.com").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envelope_is_parsed_in_every_wrapping() {
    let surface = AzureSurface::start().await;
    let ana = Person::new(&surface, "ana");
    let path = format!("/v1/accounts/{}/invitations", ana.account().await);
    for (number, wrapping) in Wrapping::ALL.into_iter().enumerate() {
        let email = format!("guest-{number}@example.com");
        let body = json!({ "email": email, "role": "guest" });
        ana.post(&path, body).await.expect(201);
        let changes = json!(surface.changes().await);
        let relayed = surface
            .host
            .invoke("relay", "cosmosDBTrigger", &changes, wrapping)
            .await;
        assert_eq!(relayed, Outcome::Done, "{wrapping:?}");
        for event in surface.carried().await {
            let mailed = surface
                .host
                .invoke("notify", "eventGridTrigger", &event, wrapping)
                .await;
            assert_eq!(mailed, Outcome::Done, "{wrapping:?}");
        }
        assert_eq!(surface.mails(&email).await.len(), 1, "{wrapping:?}");
    }
}

/// An envelope of another shape is an error of the invocation and has no other effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_envelopes_and_blobs_are_refused_or_ignored() {
    let surface = AzureSurface::start().await;
    for body in ["", "{", "[]", "\"text\"", "{\"Data\":[]}"] {
        let asked = format!(
            "POST /relay HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(status(&raw(&surface, asked.as_bytes())), 400, "{body}");
    }
    let elsewhere = [
        surface.blob_created("accounts/x").await,
        json!({ "type": "Microsoft.Storage.BlobDeleted", "subject": "x", "data": {} }),
    ];
    surface.host.events("ingest", &elsewhere).await;
    assert_eq!(started(&surface), 1, "the handler ended over an envelope");
}

/// Only a valid token in `authorization` identifies a client.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoofed_headers_have_no_effect() {
    let surface = AzureSurface::start().await;
    let token = surface.access_token("ana@example.com");
    let principal = json!({
        "auth_typ": "aad",
        "claims": [{ "typ": "email", "val": "ana@example.com" }, { "typ": "roles", "val": "admin" }],
    });
    let principal = BASE64_STANDARD.encode(principal.to_string());
    for (name, value) in [
        ("x-ms-client-principal", principal.as_str()),
        ("x-ms-client-principal-id", "ana@example.com"),
        ("x-ms-client-principal-name", "ana@example.com"),
        ("x-ms-token-aad-access-token", &token),
        ("x-ms-token-aad-id-token", &token),
        ("x-functions-key", "master"),
        ("x-forwarded-authorization", &format!("Bearer {token}")),
    ] {
        let mut request = get("/v1/session", "");
        request.headers.push((name.into(), value.into()));
        let answer = surface.send(&request).await;
        assert_eq!(answer.status, 401, "{name}");
    }
    let mut request = get("/v1/session", "");
    let spoofed = "spoofed-invocation";
    for name in ["x-ms-invocation-id", "x-azure-functions-invocationid"] {
        request.headers.push((name.into(), spoofed.into()));
    }
    surface.send(&request).await;
    let said = surface.host.lines().join("\n");
    assert!(!said.contains(spoofed), "the host's own ids count");
}

/// With Easy Auth, the handler takes the token from App Service's header and verifies it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_easy_auth_are_verified() {
    let options = Options {
        environment: vec![("AZURE_EASY_AUTH".to_owned(), "true".to_owned())],
        ..Options::default()
    };
    let surface = AzureSurface::with(options).await;
    let good = surface.access_token("ana@example.com");
    let expired = surface.expired_token("ana@example.com");
    let ask = async |name: &str, value: &str| {
        let mut request = get("/v1/session", "");
        request.headers.push((name.to_owned(), value.to_owned()));
        surface.send(&request).await.status
    };
    assert_eq!(ask("x-ms-token-aad-access-token", &good).await, 200);
    assert_eq!(ask("x-ms-token-aad-access-token", &expired).await, 401);
    assert_eq!(ask("x-ms-token-aad-access-token", "nonsense").await, 401);
    assert_eq!(
        ask("x-ms-client-principal-name", "ana@example.com").await,
        401
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunked_body_is_read_and_limited() {
    let surface = AzureSurface::start().await;
    let token = surface.access_token("ana@example.com");
    let chunked = |body: &[u8]| {
        let mut bytes = format!(
            "POST /v1/accounts HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        .into_bytes();
        for chunk in body.chunks(10_000) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        bytes
    };
    let body = json!({ "name": "Atelier", "kind": "organisation" }).to_string();
    for whole in [chunked(body.as_bytes())] {
        assert_eq!(status(&raw(&surface, &whole)), 201);
        assert_eq!(status(&surface.raw_outside(&whole).await), 201);
    }
    let limit = Request::BODY_LIMIT;
    for (size, expected) in [(limit, 400), (limit + 1, 413), (3 * limit, 413)] {
        let body = format!("{{{}", " ".repeat(size - 1));
        let answer = raw(&surface, &chunked(body.as_bytes()));
        assert_eq!(status(&answer), expected, "{size}");
    }
    let endless = chunked(&vec![b' '; 24 * limit]);
    let answer = raw(&surface, &endless);
    assert!(answer.is_empty() || status(&answer) == 413, "{answer}");
    assert_eq!(started(&surface), 1);
}

/// Clients that never finish their request delay neither other clients nor the shutdown of the
/// handler.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomplete_request_heads_delay_nothing() {
    let surface = AzureSurface::start().await;
    let half: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", surface.host.port())).unwrap();
            stream
                .write_all(b"POST /v1/accounts HTTP/1.1\r\nhost: x\r\nauthoriz")
                .unwrap();
            stream
        })
        .collect();
    let live = surface.send(&get("/health/live", "")).await;
    assert_eq!(live.status, 200);
    let begun = Instant::now();
    surface.host.terminate();
    assert_eq!(surface.host.over().await, State::Ended);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    drop(half);
}

/// The handler answers requests with any path and query, and continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handler_survives_any_target() {
    let surface = AzureSurface::start().await;
    for path in [
        "//",
        "/v1//accounts",
        "/v1/%",
        "/v1/%zz",
        "/v1/%0d%0aset-cookie:x",
        "/v1/../../etc/passwd",
        "/v1/../openapi.json/x",
        "/v1/%2e%2e/%2e%2e",
        "/v1/a%2Fb",
        "/v1/%5c",
        "/v1/./accounts/.",
    ] {
        for query in [
            "",
            "?limit=%",
            "?limit=%zz&&=",
            "?%00=%00",
            "?limit=1&limit=2",
            "?=",
        ] {
            let answer = raw_get(&surface, &format!("{path}{query}"));
            let status = status(&answer);
            assert!((400..500).contains(&status), "{path}{query}: {answer}");
            assert!(
                answer.contains("application/problem+json"),
                "{path}{query}: {answer}"
            );
        }
    }
    // The route table gets paths unchanged: no dot segment is resolved and nothing is decoded.
    for path in ["/v1/../openapi.json", "/%6fpenapi.json", "/openapi.json/"] {
        assert_eq!(status(&raw_get(&surface, path)), 404, "{path}");
    }
    assert_eq!(status(&raw_get(&surface, "/openapi.json")), 200);
    assert_eq!(started(&surface), 1, "the handler ended over a request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_parameter_arrives_twice() {
    let surface = AzureSurface::start().await;
    let ana = Person::new(&surface, "ana");
    let account = ana.account().await;
    let members = format!("/v1/accounts/{account}/members");
    ana.get(&format!("{members}?limit=1")).await.expect(200);
    ana.get(&format!("{members}?limit=1&limit=2"))
        .await
        .expect_problem("invalid-request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_request_equals_get_without_body() {
    let surface = AzureSurface::start().await;
    let head = |path: &str| {
        let asked = format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        raw(&surface, asked.as_bytes())
    };
    let answer = head("/openapi.json");
    assert_eq!(status(&answer), 200);
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(
        answer.to_lowercase().contains("content-length: "),
        "{answer}"
    );
    assert_eq!(status(&head("/v1/session")), 401);
    let through = Request {
        method: "HEAD".into(),
        ..get("/health/live", "")
    };
    let answer = surface.send(&through).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    for method in ["POST", "DELETE", "TRACE", "QUERY"] {
        let wrong = Request {
            method: method.into(),
            ..get("/openapi.json", "")
        };
        let answer = surface.send(&wrong).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_entries_carry_trace_and_invocation_id() {
    let surface = AzureSurface::start().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut request = get("/v1/session", "");
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    request.headers.push(("traceparent".into(), parent));
    let answer: Answer = surface.send(&request).await;
    let own = answer.header("traceparent").unwrap();
    assert!(own.contains(trace) && !own.contains("b7ad6b7169203331"));
    let request_id = answer.header("x-request-id").unwrap();
    let answered = surface
        .entry(|line| line["message"] == "answered" && line["request_id"] == request_id)
        .await;
    assert_eq!(answered["traceparent"], own);
    let invocation = answered["span"]["invocation_id"].as_str().unwrap();
    let metrics = surface
        .entry(|line| line["target"] == "metrics" && line["requestId"] == invocation)
        .await;
    assert_eq!(metrics["status"], "401");
}

/// A container has no host: only `api` answers, and no path is a trigger or a probe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn container_serves_the_api_and_nothing_else() {
    let surface = AzureSurface::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let child = Command::new(process::binary("handler"))
        .arg("serve")
        .env_clear()
        .envs([process::STACK])
        .envs(surface.resources.environment())
        .env("WM_LISTEN", address.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let running = Running(child);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let live = loop {
        match client
            .get(format!("http://{address}/health/live"))
            .send()
            .await
        {
            Ok(live) => break live,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(live.status(), 200);
    let catalog = client.get(format!("http://{address}/v1/catalog"));
    assert_eq!(catalog.send().await.unwrap().status(), 200);
    let root = client.get(format!("http://{address}/"));
    let envelope = json!({ "Data": {}, "Metadata": {} }).to_string();
    let posts = ["relay", "ingest", "notify", "sweep"].map(|name| {
        client
            .post(format!("http://{address}/{name}"))
            .body(envelope.clone())
    });
    for request in posts.into_iter().chain([root]) {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    assert_eq!(running.terminate(), Some(0));
}
