//! What stands before the handler, what it makes of it, and what it writes to its log.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use wm_core::http::Request;
use wm_tests::{
    client::{Person, object_request},
    functions_host::{Outcome, State, Wrapping},
    harness::{Answer, Harness},
    process,
    process_metrics::Running,
    suite::fixture::Fixture,
    surfaces::azure::{AzureSurface, Options},
    up::{Azure, Served, use_it},
};

/// What the front ends of App Service put on every request.
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

/// The result the host wants of a function.
const RESULT: &str = r#"{"Logs":[],"Outputs":{},"ReturnValue":null}"#;

fn get(path: &str, query: &str) -> Request {
    Request {
        method: "GET".into(),
        path: path.into(),
        query: query.into(),
        ..Request::default()
    }
}

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

/// Writes bytes to the handler itself, past the host, and reads all it answers. It is told to close the
/// connection afterwards, or does so by itself.
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

/// An envelope as the host posts it, but for these headers.
fn envelope(surface: &AzureSurface, function: &str, more: &str) -> String {
    let body = json!({ "Data": {}, "Metadata": {} }).to_string();
    let asked = format!(
        "POST /{function} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    );
    raw(surface, asked.as_bytes())
}

/// How often the executable became ready: once, unless something ended it.
fn started(surface: &AzureSurface) -> usize {
    let lines = surface.host.lines();
    lines
        .iter()
        .filter(|line| line.contains("\"started\""))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_outside_reaches_a_trigger() {
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

/// The forged envelope of somebody who got past all that: it publishes nothing and mails nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_is_not_believed() {
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
async fn an_envelope_is_read_however_it_is_wrapped() {
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

/// An envelope that is none is an error of the invocation, and nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_envelopes_are_refused_and_forgotten() {
    let surface = AzureSurface::start().await;
    let alien = json!({ "hello": "world" });
    for (function, trigger) in [
        ("relay", "cosmosDBTrigger"),
        ("ingest", "eventGridTrigger"),
        ("notify", "eventGridTrigger"),
    ] {
        for data in [&alien, &json!([alien]), &json!("text"), &json!(7)] {
            let host = &surface.host;
            let outcome = host.invoke(function, trigger, data, Wrapping::Plain).await;
            assert_ne!(outcome, Outcome::Died, "{function} {data}");
        }
    }
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

/// Nothing a client says of itself counts, but for a token that is good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoofed_headers_mean_nothing() {
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

/// With it, the header in which App Service passes a token on counts for the token in it, and for no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn easy_auth_passes_on_tokens_that_are_verified_all_the_same() {
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
async fn a_body_in_pieces_is_read_and_bounded_like_any_other() {
    let surface = AzureSurface::start().await;
    let token = surface.access_token("ana@example.com");
    let chunked = |body: &[u8]| {
        let mut bytes = format!(
            "POST /v1/accounts HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        .into_bytes();
        for piece in body.chunks(10_000) {
            bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
            bytes.extend(piece);
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

/// Clients that never finish asking hold nobody up, neither while it runs nor when it is to stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_sent_heads_hold_nothing_up() {
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

/// Whatever a path or query holds, the handler answers, and goes on answering.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_target_breaks_the_handler() {
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
    // As they are: nothing is resolved or decoded on the way to the route table.
    for path in ["/v1/../openapi.json", "/%6fpenapi.json", "/openapi.json/"] {
        assert_eq!(status(&raw_get(&surface, path)), 404, "{path}");
    }
    assert_eq!(status(&raw_get(&surface, "/openapi.json")), 200);
    assert_eq!(started(&surface), 1, "the handler ended over a request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_given_twice_arrives_twice() {
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
async fn a_head_is_a_get_without_its_body() {
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
async fn a_trace_and_an_invocation_lead_through_the_log() {
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

/// Everything the handler could leak that it must not.
struct Secrets(BTreeSet<String>);

impl Secrets {
    fn assert_unsaid(&self, lines: &[String]) {
        for line in lines {
            for secret in &self.0 {
                assert!(!line.contains(secret), "`{secret}` in {line}");
            }
        }
    }
}

/// Checks every line of the handler's log; how many were metrics of `api` and how many answers to requests.
fn check_log(lines: &[String]) -> (usize, usize) {
    let (mut metrics, mut answers) = (0, 0);
    for line in lines {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(
            entry["level"].is_string() && entry["timestamp"].is_string(),
            "{line}"
        );
        if entry["target"] == "metrics" {
            for number in ["Duration", "Faults", "DatabaseCalls", "RequestCharge"] {
                assert!(entry[number].is_number(), "{line}");
            }
            for text in ["Function", "requestId", "operation", "status"] {
                assert!(entry[text].is_string(), "{line}");
            }
            metrics += usize::from(entry["Function"] == "api");
        } else if entry["message"] == "answered" {
            answers += 1;
            assert!(
                entry["request_id"].as_str().unwrap().starts_with("req_"),
                "{line}"
            );
            assert!(entry["span"]["invocation_id"].is_string(), "{line}");
            let trace = entry["traceparent"].as_str().unwrap();
            let lengths: Vec<usize> = trace.split('-').map(str::len).collect();
            assert_eq!(lengths, [2, 32, 16, 2], "{line}");
        }
    }
    (metrics, answers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_and_metrics_are_json_and_tell_no_secret() {
    let surface = AzureSurface::start().await;
    let mut secrets = Secrets(surface.secrets().into_iter().collect());
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
    let url = upload["url"].as_str().unwrap();
    let (_, signature) = url.split_once("sig=").unwrap();
    secrets.0.extend([
        url.to_owned(),
        signature.split('&').next().unwrap().to_owned(),
    ]);
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
    surface
        .entry(|line| line["target"] == "metrics" && line["Function"] == "sweep")
        .await;
    let lines = surface.host.lines();
    let (metrics, answers) = check_log(&lines);
    assert!(metrics > 10 && metrics == answers, "{metrics} {answers}");
    secrets.assert_unsaid(&lines);
    for function in ["relay", "ingest", "notify", "sweep"] {
        let worked = lines.iter().any(|line| {
            line.contains("\"metrics\"") && line.contains(&format!("\"Function\":\"{function}\""))
        });
        assert!(worked, "{function} tells nothing");
    }
    let errors = surface.host.errors();
    assert!(
        errors.is_empty(),
        "the host takes these for errors: {errors:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_handler_names_what_its_environment_lacks() {
    for missing in [
        "AZURE_COSMOS_CONTAINER",
        "AZURE_ENTRA_CLIENTS",
        "AZURE_EVENTGRID_ENDPOINT",
        "AZURE_KEY_VAULT_ENDPOINT",
        "AZURE_APP_CONFIGURATION_ENDPOINT",
    ] {
        let options = Options {
            environment: vec![(missing.to_owned(), String::new())],
            ready: false,
            ..Options::default()
        };
        let surface = AzureSurface::with(options).await;
        let over = surface.host.over().await;
        assert_eq!(over, State::Stopped("exit status: 1".into()), "{missing}");
        let lines = surface.host.lines();
        check_log(&lines);
        let said = lines.join("\n");
        assert!(said.contains(&format!("`{missing}`")), "{missing}: {said}");
        assert!(surface.host.errors().is_empty());
    }
}

/// In a container there is no host: `api` alone answers, nothing is a trigger, and nothing is a probe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_it_serves_the_api_and_nothing_else() {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_served_surface_is_used_with_an_own_client() {
    let served = Served::start(Azure::open(AzureSurface::start().await)).await;
    use_it(served.url(), served.control()).await;
}
