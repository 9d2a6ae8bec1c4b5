//! Tests of `cargo xtask up`, used like a person with their own client.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use reqwest::Client;
use wm_tests::up::use_it;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_surface_is_served_until_interrupted() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_up"))
        .arg("local")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let lines = lines.map_while(Result::ok);
    let greeting: Vec<String> = lines
        .take_while(|line| !line.starts_with("Ctrl-C"))
        .collect();
    let greeting = greeting.join("\n");
    let mut urls = greeting
        .split_whitespace()
        .filter_map(|word| word.trim_start_matches('\'').split_once("http://"))
        .map(|(_, rest)| format!("http://{}", rest.split('/').next().unwrap()));
    let (url, control) = (urls.next().unwrap(), urls.next().unwrap());
    assert_ne!(url, control, "{greeting}");

    use_it(&url, &control).await;

    let interrupt = ["-INT", &program.id().to_string()].map(str::to_owned);
    assert!(
        Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    assert!(program.wait().unwrap().success());
    let client = Client::builder().no_proxy().build().unwrap();
    for ended in [url, control] {
        client.get(ended).send().await.unwrap_err();
    }
}

#[test]
fn unknown_surface_is_refused() {
    let ran = Command::new(env!("CARGO_BIN_EXE_up")).arg("moon").output();
    let ran = ran.unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).starts_with("error: "));
}
