//! The AWS emulators: they start from their pins alone and never outlive the tests.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use wm_tests::emulators::{
    dynalite::Dynalite,
    ministack::{Credentials, Ministack},
    s3s::S3s,
};

fn answers(url: &str) -> bool {
    TcpStream::connect(url.strip_prefix("http://").unwrap()).is_ok()
}

#[tokio::test]
async fn ministack_refuses_unknown_keys() {
    let ministack = Ministack::shared();
    let health = ministack.page("/_ministack/health").await;
    assert_eq!(health["auth"], "enabled", "{health}");
    let tables = ministack
        .json("DynamoDB_20120810.ListTables", &json!({}))
        .await;
    assert!(tables["TableNames"].is_array(), "{tables}");
    let stranger = Credentials {
        key: "a-stranger".into(),
        ..Credentials::root()
    };
    let refused = ministack
        .json_as(&stranger, "DynamoDB_20120810.ListTables", &json!({}))
        .await;
    assert!((400..=403).contains(&refused.status), "{}", refused.text);
}

#[tokio::test]
async fn ministack_checks_rights_and_signatures_of_users() {
    let ministack = Ministack::shared();
    let root = Credentials::root();
    let iam = async |parameters: &[(&str, &str)]| {
        let answered = ministack.query_as(&root, "iam", parameters).await;
        assert_eq!(answered.status, 200, "{}", answered.text);
        answered.text
    };
    iam(&[
        ("Action", "CreateUser"),
        ("UserName", "reader"),
        ("Version", "2010-05-08"),
    ])
    .await;
    let statement = json!({ "Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let name = ("PolicyName", "reads");
    iam(&[
        ("Action", "PutUserPolicy"),
        ("UserName", "reader"),
        name,
        ("PolicyDocument", &policy),
    ])
    .await;
    let key = iam(&[("Action", "CreateAccessKey"), ("UserName", "reader")]).await;
    let element = |name: &str| {
        let (_, rest) = key.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    let user = Credentials {
        key: element("AccessKeyId"),
        secret: element("SecretAccessKey"),
        token: None,
    };
    let list = "DynamoDB_20120810.ListTables";
    let allowed = ministack.json_as(&user, list, &json!({})).await;
    assert_eq!(allowed.status, 200, "{}", allowed.text);
    let denied = ministack
        .json_as(&user, "AWSEvents.ListEventBuses", &json!({}))
        .await;
    assert!(denied.status >= 400, "{}", denied.text);
    let forged = Credentials {
        secret: "guessed".into(),
        ..user
    };
    let refused = ministack.json_as(&forged, list, &json!({})).await;
    assert!(refused.status >= 400, "{}", refused.text);
}

#[test]
fn strict_emulators_answer_and_end() {
    let (dynalite, s3s) = (Dynalite::start(), S3s::start());
    assert!(answers(&dynalite.url) && answers(&s3s.url));
    let urls = [dynalite.url.clone(), s3s.url.clone()];
    drop((dynalite, s3s));
    assert!(!urls.iter().any(|url| answers(url)));
}

/// The next test runs this one in another process. It is ignored otherwise.
#[test]
#[ignore = "is the process that `emulator_ends_with_its_killed_parent` kills"]
fn helper_starts_an_emulator_and_waits() {
    let dynalite = Dynalite::start();
    std::io::stdout()
        .write_all(format!("\nat {}\n", dynalite.url).as_bytes())
        .unwrap();
    std::thread::park();
}

#[test]
fn emulator_ends_with_its_killed_parent() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "aws_emulators::helper_starts_an_emulator_and_waits",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let url = lines
        .find_map(|line| Some(line.strip_prefix("at ")?.to_owned()))
        .unwrap();
    assert!(answers(&url));
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = Instant::now();
    // No signal shows the end of a process that is not a child.
    while answers(&url) {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{url} still answers"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
