//! The server with slow, oversized, malformed and disconnected clients.

use std::time::{Duration, Instant};

use super::support::{Running, echo, read_all};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};
use wm_core::http::{Request, Response};

const MIB: usize = 1024 * 1024;

async fn slow(request: Request) -> Response {
    let millis = request.query.parse().unwrap_or(0);
    sleep(Duration::from_millis(millis)).await;
    echo(request).await
}

#[tokio::test]
async fn requests_and_answers_pass_unchanged() {
    let running = Running::echo().await;
    let url = format!("http://{}/v1/a%2Fb?x=1&y=%20", running.address);
    let client = reqwest::Client::new();
    let answer = client.patch(&url).body("12345").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert_eq!(answer.text().await.unwrap(), "PATCH /v1/a%2Fb?x=1&y=%20 5");
    let answer = client.head(&url).send().await.unwrap();
    assert_eq!(answer.headers()["content-length"], "25");
    assert!(answer.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn oversized_request_gets_an_answer() {
    let running = Running::echo().await;
    let url = format!("http://{}/v1/accounts", running.address);
    for size in [MIB, MIB + 1, 5 * MIB] {
        let answer = reqwest::Client::new()
            .post(&url)
            .body(vec![b'x'; size])
            .send()
            .await
            .unwrap();
        let expected = if size > MIB { 413 } else { 200 };
        assert_eq!(answer.status(), expected, "{size}");
        // The service receives at most one byte more than the limit.
        let seen = size.min(MIB + 1);
        assert!(answer.text().await.unwrap().ends_with(&format!(" {seen}")));
    }
}

#[tokio::test]
async fn chunked_body_has_the_same_limit() {
    let running = Running::echo().await;
    let url = format!("http://{}/v1/accounts", running.address);
    for (chunks, expected) in [(3, 200), (80, 413)] {
        let chunks = (0..chunks).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 64 * 1024]));
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
        let answer = reqwest::Client::new()
            .post(&url)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), expected);
    }
}

#[tokio::test]
async fn endless_body_is_cut_off() {
    let running = Running::echo().await;
    let mut stream = running.connect().await;
    let head = format!(
        "POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        64 * MIB
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![b'x'; MIB];
    let mut sent = 0;
    while sent < 64 && stream.write_all(&chunk).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 64, "all was read");
}

#[tokio::test]
async fn request_head_beyond_the_limit_is_refused() {
    let running = Running::echo().await;
    for size in [60_000, 100_000] {
        let head = format!(
            "GET /v1/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: {}\r\n\r\n",
            "x".repeat(size)
        );
        let answer = running.raw(head.as_bytes()).await;
        let expected = if size < 65_536 {
            "HTTP/1.1 200"
        } else {
            "HTTP/1.1 431"
        };
        assert!(answer.starts_with(expected), "{size}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn incomplete_request_head_times_out_after_ten_seconds() {
    let running = Running::echo().await;
    let mut stream = running.connect().await;
    let begun = tokio::time::Instant::now();
    stream
        .write_all(b"GET /v1/x HTTP/1.1\r\nhost:")
        .await
        .unwrap();
    read_all(&mut stream).await;
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_secs(9) && waited < Duration::from_secs(15),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn stalled_body_times_out_after_thirty_seconds() {
    let running = Running::echo().await;
    let mut stream = running.connect().await;
    let head = b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf";
    stream.write_all(head).await.unwrap();
    let begun = tokio::time::Instant::now();
    let answer = read_all(&mut stream).await;
    let waited = begun.elapsed();
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("did not arrive in time"),
        "{answer}"
    );
    assert!(
        waited >= Duration::from_secs(29) && waited < Duration::from_secs(40),
        "{waited:?}"
    );
}

#[tokio::test]
async fn connections_are_kept_for_further_requests() {
    let running = Running::echo().await;
    let mut stream = running.connect().await;
    for _ in 0..3 {
        stream
            .write_all(b"GET /v1/x HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..length].ends_with(b"GET /v1/x? 0"));
    }
}

#[tokio::test]
async fn stopping_server_finishes_requests_and_accepts_no_more() {
    let mut running = Running::start(slow).await;
    let url = format!("http://{}/v1/x?800", running.address);
    let request = tokio::spawn(reqwest::get(url));
    sleep(Duration::from_millis(200)).await;
    running.begin_to_stop();
    sleep(Duration::from_millis(100)).await;
    assert!(
        tokio::net::TcpStream::connect(running.address)
            .await
            .is_err()
    );
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    running.stopped().await;
}

#[tokio::test]
async fn idle_connections_and_partial_heads_do_not_delay_a_stop() {
    let mut running = Running::echo().await;
    let idle = running.connect().await;
    let mut half = running.connect().await;
    half.write_all(b"GET /v1/x HTTP/1.1\r\nho").await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    running.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    drop(idle);
    assert_eq!(read_all(&mut half).await, "");
}

#[tokio::test]
async fn endless_request_is_cut_off_within_five_seconds() {
    let mut running = Running::start(slow).await;
    let mut half_body = running.connect().await;
    half_body
        .write_all(b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf")
        .await
        .unwrap();
    let mut long = running.connect().await;
    long.write_all(b"GET /v1/x?60000 HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    timeout(Duration::from_secs(20), running.stop())
        .await
        .unwrap();
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_secs(3) && waited < Duration::from_secs(7),
        "{waited:?}"
    );
}

#[tokio::test]
async fn keys_are_at_the_url_of_the_discovery_document() {
    let running = Running::echo().await;
    let url = format!(
        "http://{}/.well-known/openid-configuration",
        running.address
    );
    let document: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(document["issuer"], "http://127.0.0.1:7878");
    let jwks_uri = document["jwks_uri"].as_str().unwrap();
    assert!(jwks_uri.starts_with(&format!("http://{}/", running.address)));
    let keys: serde_json::Value = reqwest::get(jwks_uri).await.unwrap().json().await.unwrap();
    assert_eq!(keys, serde_json::to_value(running.issuer.jwks()).unwrap());
    assert_eq!(keys["keys"][0]["kty"], "EC");
    assert!(keys["keys"][0].get("d").is_none());
}
