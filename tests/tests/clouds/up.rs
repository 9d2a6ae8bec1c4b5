//! Tests of `cargo xtask up`, used like a person with their own client.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use wm_client::{
    BearerToken,
    api::{accounts::NewAccount, invitations::NewInvitation},
};
use wm_core::{record::AccountKind, value::AccountRole};
use wm_tests::{client::answered, harness::Answer};

/// The interval between two requests for what is published later.
const INTERVAL: Duration = Duration::from_millis(300);

/// Uses a surface like a new person with the product's client: gets a token, creates an account and
/// invites a person. Waits up to a minute for the event and the mail.
pub(crate) async fn use_surface(url: &str, control: &str) {
    let http = Client::builder().no_proxy().build().unwrap();
    let token = json!({ "email": "ana@example.com" });
    let token = http.post(format!("{control}/token")).json(&token);
    let token = json_of(token).await;
    let token = token["access_token"].as_str().expect("an access token");

    let server = url.parse().unwrap();
    let client = wm_client::Client::new(server, BearerToken::new(token)).unwrap();
    let account = NewAccount {
        name: "Harbour".parse().unwrap(),
        kind: AccountKind::Organisation,
    };
    let account = client.create_account(&account).await.unwrap();
    let invitation = NewInvitation {
        email: "ben@example.com".parse().unwrap(),
        role: AccountRole::Member,
    };
    client.invite(account.id, &invitation).await.unwrap();

    let shown = |path: &str| http.get(format!("{control}{path}"));
    until_shown(shown("/events"), "account.created").await;
    until_shown(shown("/mail?to=ben@example.com"), "Harbour").await;
    for path in ["/mail", "/mail?to=ben", "/elsewhere"] {
        let refused = shown(path).send().await.unwrap().status();
        assert!(refused.is_client_error(), "{path}: {refused}");
    }
}

async fn json_of(request: RequestBuilder) -> Value {
    let Answer { status, body, .. } = answered(request).await.unwrap();
    assert!(status < 300, "{status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// Repeats a request until its answer contains a text.
async fn until_shown(request: RequestBuilder, text: &str) {
    let repeated = async {
        while !json_of(request.try_clone().unwrap())
            .await
            .to_string()
            .contains(text)
        {
            sleep(INTERVAL).await;
        }
    };
    let shown = timeout(Duration::from_mins(1), repeated).await;
    shown.unwrap_or_else(|_| panic!("`{text}` is not shown"));
}

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

    use_surface(&url, &control).await;

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
