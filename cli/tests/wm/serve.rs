//! Tests of `wm serve`, `wm session`, `wm journal`, `wm backup` and `wm restore`.

use std::{
    fs,
    time::{Duration, Instant},
};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Node, directory, wm};

#[test]
fn serve_prints_url_token_command_and_examples() {
    let home = directory();
    let node = Node::start(home.path(), &[]);
    for words in [
        node.url.as_str(),
        "token --email",
        "--data data",
        "curl -H",
        "/v1/session",
    ] {
        assert!(
            node.greeting.contains(words),
            "{words} in {}",
            node.greeting
        );
    }
    let live = node.call(Method::GET, "/health/live", &Value::Null);
    assert_eq!(live["status"], "live");
}

#[test]
fn serve_stops_cleanly_on_both_signals() {
    for signal in [Signal::INT, Signal::TERM] {
        let home = directory();
        let node = Node::start(home.path(), &[]);
        node.project();
        let began = Instant::now();
        node.running.signal(signal);
        let Node { running, .. } = node;
        running.end().expect(0);
        assert!(began.elapsed() < Duration::from_secs(6));
    }
}

#[test]
fn serve_distinguishes_address_and_directory_in_use() {
    let home = directory();
    let node = Node::start(home.path(), &[]);
    let address = node.url.strip_prefix("http://").unwrap();
    let arguments = ["serve", "--data", "other", "--listen", address];
    wm(home.path(), &arguments).expect_error(1, &[address, "--listen"]);
    let arguments = ["serve", "--data", "data", "--listen", "127.0.0.1:0"];
    wm(home.path(), &arguments).expect_error(1, &["`data`", "--data"]);
}

#[test]
fn serve_warns_about_a_public_listen_address() {
    let home = directory();
    let node = Node::start(home.path(), &["--listen", "0.0.0.0:0"]);
    node.running.signal(Signal::TERM);
    let Node { running, .. } = node;
    let ran = running.end().expect(0);
    assert!(ran.stderr.contains("warning: `0.0.0.0`"), "{ran:?}");
}

#[test]
fn session_shows_identity_and_access() {
    let home = directory();
    let node = Node::start(home.path(), &[]);
    let project = node.project();
    let ran = node.run(home.path(), &["session"]).expect(0);
    for words in [
        "You are usr_",
        "ana@example.com",
        "Harbour",
        "Quay",
        "owner",
        &project.to_string(),
    ] {
        assert!(ran.stdout.contains(words), "{words} in {}", ran.stdout);
    }
    let ran = node.run(home.path(), &["session", "--json"]).expect(0);
    let session: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(session["projects"][0]["id"], json!(project));
    let arguments = ["session", "--server", &node.url, "--token", "no.such.token"];
    wm(home.path(), &arguments).expect_error(1, &["wm token"]);
}

#[test]
fn journal_is_printed_and_verified() {
    let home = directory();
    let node = Node::start(home.path(), &[]);
    let project = node.project().to_string();
    let ran = node
        .run(home.path(), &["journal", "--project", &project])
        .expect(0);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("project.created"), "{}", ran.stdout);
    let ran = node
        .run(home.path(), &["journal", "--project", &project, "--json"])
        .expect(0);
    let entry: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(entry["seq"], 1);
    let ran = node
        .run(home.path(), &["journal", "--project", &project, "--verify"])
        .expect(0);
    assert!(ran.stdout.contains("1 entries"), "{}", ran.stdout);
}

#[test]
fn backup_restores_the_records_as_another_surface() {
    let home = directory();
    let node = Node::start(home.path(), &[]);
    let project = node.project().to_string();
    wm(home.path(), &["backup", "copy", "--data", "data"]).expect(0);
    wm(home.path(), &["backup", "copy", "--data", "data"]).expect_error(1, &["copy"]);
    drop(node);
    fs::remove_dir_all(home.path().join("data")).unwrap();
    let ran = wm(home.path(), &["restore", "copy", "--data", "data"]).expect(0);
    assert!(ran.stdout.contains("srf_"), "{}", ran.stdout);
    let node = Node::start(home.path(), &[]);
    node.run(home.path(), &["journal", "--project", &project, "--verify"])
        .expect(0);
}

#[test]
fn health_shows_dependencies_and_layout() {
    let home = directory();
    let node = Node::start(home.path(), &[]);
    let health = ["health", "--server", &node.url];
    let shown = wm(home.path(), &health).expect(0).stdout;
    let (first, rest) = shown.split_once('\n').unwrap();
    assert_eq!(first, format!("{}: ready", node.url));
    assert!(
        rest.starts_with("artifacts: up\nrecords: up\ndata: "),
        "{rest}"
    );
    let shown = wm(home.path(), &[&health[..], &["--json"]].concat())
        .expect(0)
        .stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["status"], "ready");
    assert!(["waiting", "current"].contains(&shown["layout"]["status"].as_str().unwrap()));
    let nobody = ["health", "--server", "http://127.0.0.1:1"];
    wm(home.path(), &nobody).expect_error(1, &["does not answer"]);
}
