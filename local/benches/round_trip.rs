//! The cost of a request over HTTP, from the first byte of the client to the last byte of the
//! answer. A bare warp route with the same bytes is the comparison. The difference is the cost of
//! the application.
//!
//! One client keeps its connections open. Both servers run in this process and alternate, request
//! by request, so that other load on the machine affects both.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop where it fails")]

use std::{
    fmt::Write,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::{Client, Url};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};
use warp::{Filter, http::header::CONTENT_TYPE};
use wm_core::operation::TokenUsage;
use wm_local::{clock::now, config::Config, data_directory::Layout, identity::Issuer, node::Node};

/// The number of measured pairs of requests. A tenth as many run before them as a warm-up.
const PAIRS: usize = 10_000;

const HERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// A client with a token of the node over this directory.
struct Caller {
    client: Client,
    token: String,
}

impl Caller {
    fn new(data: &Path) -> Self {
        let issuer = Issuer::open(&Layout::new(data).issuer_key()).unwrap();
        let email = "ana@example.com".parse().unwrap();
        let token = issuer.mint(TokenUsage::Access, &email, None, now());
        Self {
            client: Client::new(),
            token: token.unwrap(),
        }
    }

    /// Creates a record and returns its id.
    async fn make(&self, url: &str, body: Value) -> String {
        let request = self.client.post(url).bearer_auth(&self.token).json(&body);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        let made: Value = answer.json().await.unwrap();
        made.get("id").and_then(Value::as_str).unwrap().to_owned()
    }

    async fn get(&self, url: &Url) -> Bytes {
        let request = self.client.get(url.clone()).bearer_auth(&self.token);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.bytes().await.unwrap()
    }

    async fn time(&self, url: &Url) -> Duration {
        let start = Instant::now();
        self.get(url).await;
        start.elapsed()
    }

    /// The medians over all pairs.
    async fn compare(&self, node: &Url, bare: &Url) -> [Duration; 2] {
        let (mut node_times, mut bare_times) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS + PAIRS / 10 {
            let times = [self.time(node).await, self.time(bare).await];
            if pair >= PAIRS / 10 {
                node_times.push(times[0]);
                bare_times.push(times[1]);
            }
        }
        [median(node_times), median(bare_times)]
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap()
}

/// Starts a server with one route that answers these bytes. Returns its URL.
async fn bare(body: Bytes) -> Url {
    let listener = TcpListener::bind(HERE).await.unwrap();
    let address = listener.local_addr().unwrap();
    let route = warp::path("bare").map(move || {
        let answer = warp::http::Response::builder();
        let answer = answer.header(CONTENT_TYPE, "application/json");
        answer.body(body.clone())
    });
    tokio::spawn(warp::serve(route).incoming(listener).run());
    format!("http://{address}/bare").parse().unwrap()
}

fn line(what: &str, [node, bare]: [Duration; 2]) -> String {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let (node, bare) = (micros(node), micros(bare));
    let (more, ratio) = (node - bare, node / bare);
    format!(
        "{what}: node {node:.0} µs, bare warp {bare:.0} µs; {more:.0} µs more, ratio {ratio:.2}\n"
    )
}

async fn report() -> String {
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        data: directory.path().to_owned(),
        listen: SocketAddr::from(HERE),
        ..Config::default()
    };
    let node = Node::start(config).await.unwrap();
    let site = node.public_url();
    let caller = Caller::new(directory.path());
    let account = json!({ "name": "Acme", "kind": "organisation" });
    let account = caller.make(&format!("{site}/v1/accounts"), account).await;
    let projects = format!("{site}/v1/accounts/{account}/projects");
    let project = caller
        .make(
            &projects,
            json!({ "name": "Bridge", "visibility": "private" }),
        )
        .await;
    let paths = [
        ("liveness", "/health/live".to_owned()),
        ("a project, authorised", format!("/v1/projects/{project}")),
    ];
    let mut report = String::new();
    for (what, path) in paths {
        let node: Url = format!("{site}{path}").parse().unwrap();
        let bare = bare(caller.get(&node).await).await;
        write!(report, "{}", line(what, caller.compare(&node, &bare).await)).unwrap();
    }
    node.shutdown().await;
    report
}

#[expect(clippy::print_stdout, reason = "a benchmark reports")]
fn main() {
    println!("{}", Runtime::new().unwrap().block_on(report()));
}
