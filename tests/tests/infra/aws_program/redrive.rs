//! `wm redrive aws`: dead letters return to the bus and none is lost.

use std::{
    io::Write,
    net::{Shutdown, TcpListener},
    thread,
};

use serde_json::{Value, json};
use wm_tests::emulators::ministack::Ministack;

use super::{Program, gate::Request};

async fn queues(operation: &str, body: Value) -> Value {
    let target = format!("AmazonSQS.{operation}");
    Ministack::shared().json(&target, &body).await
}

async fn events(operation: &str, body: Value) -> Value {
    let target = format!("AWSEvents.{operation}");
    Ministack::shared().json(&target, &body).await
}

async fn queue(name: &str) -> String {
    let made = queues("CreateQueue", json!({ "QueueName": name })).await;
    made["QueueUrl"].as_str().unwrap().to_owned()
}

async fn send(url: &str, body: &str) {
    queues(
        "SendMessage",
        json!({ "QueueUrl": url, "MessageBody": body }),
    )
    .await;
}

/// The bodies of all visible messages in a queue.
async fn bodies(url: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let request =
            json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60 });
        let answer = queues("ReceiveMessage", request).await;
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        if messages.is_empty() {
            return bodies;
        }
        bodies.extend(
            messages
                .iter()
                .map(|message| message["Body"].as_str().unwrap().to_owned()),
        );
    }
}

/// A deployment's queues and its bus, with a queue that receives the events sent again.
struct Deployed {
    notify: String,
    ingest: String,
    caught: String,
}

impl Deployed {
    async fn new(prefix: &str) -> Self {
        let stem = format!("{prefix}-dev");
        events("CreateEventBus", json!({ "Name": stem })).await;
        let pattern = json!({ "source": ["workspace-management.redrive"] }).to_string();
        events(
            "PutRule",
            json!({ "Name": stem, "EventBusName": stem, "EventPattern": pattern }),
        )
        .await;
        let caught = format!("{stem}-caught");
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{caught}");
        let targets = json!([{ "Id": "caught", "Arn": arn }]);
        let deployed = Self {
            notify: queue(&format!("{stem}-notify-dead-letters")).await,
            ingest: queue(&format!("{stem}-ingest-dead-letters")).await,
            caught: queue(&caught).await,
        };
        events(
            "PutTargets",
            json!({ "Rule": stem, "EventBusName": stem, "Targets": targets }),
        )
        .await;
        deployed
    }
}

/// A dead letter in the format of the bus.
fn letter(kind: &str, detail: &Value) -> String {
    let event = json!({
        "version": "0", "id": "11112222-3333-4444-5555-666677778888", "detail-type": kind,
        "source": "whoever", "account": "000000000000", "time": "2026-11-23T12:00:00Z",
        "region": "us-east-1", "resources": [], "detail": detail,
    });
    event.to_string()
}

#[tokio::test]
async fn dead_letters_of_both_functions_return_to_the_bus() {
    let deployed = Deployed::new("redriven").await;
    let object = json!({ "bucket": { "name": "b" }, "object": { "key": "accounts/x" } });
    send(&deployed.ingest, &letter("Object Created", &object)).await;
    // More than one request to either service accepts.
    for number in 0..23 {
        send(
            &deployed.notify,
            &letter("wm.grant.added", &json!({ "number": number })),
        )
        .await;
    }
    let program = Program::aws();
    let arguments = ["redrive", "--prefix", "redriven"];
    let plan = program.works(&[&arguments[..], &["--plan"]].concat());
    assert!(
        plan.contains("redriven-dev-notify-dead-letters  23\n"),
        "{plan}"
    );
    assert!(
        plan.contains("redriven-dev-ingest-dead-letters  1\n"),
        "{plan}"
    );
    assert!(plan.ends_with("no dead letters were sent\n"), "{plan}");

    let one = program.works(&[&arguments[..], &["--function", "ingest"]].concat());
    assert!(
        one.contains("redriven-dev-ingest-dead-letters  1 sent again  0 left"),
        "{one}"
    );
    assert!(!one.contains("notify"), "{one}");

    let out = program.works(&arguments);
    assert!(
        out.contains("redriven-dev-notify-dead-letters  23 sent again  0 left"),
        "{out}"
    );
    assert!(
        out.contains("redriven-dev-ingest-dead-letters  0 sent again   0 left"),
        "{out}"
    );
    assert_eq!(bodies(&deployed.notify).await, [""; 0]);
    let caught: Vec<Value> = bodies(&deployed.caught)
        .await
        .iter()
        .map(|body| serde_json::from_str(body).unwrap())
        .collect();
    assert_eq!(caught.len(), 24);
    let completed: Vec<&Value> = caught
        .iter()
        .filter(|event| event["detail-type"] == "Object Created")
        .collect();
    assert_eq!(completed.len(), 1);
    assert_eq!(completed[0]["detail"], object);
    let mut numbers: Vec<u64> = caught
        .iter()
        .filter_map(|event| event["detail"]["number"].as_u64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..23).collect::<Vec<_>>());
}

/// A bus that refuses every event whose detail contains `fail`, entry by entry like the real one.
fn selective_bus() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let Some(request) = Request::read(&mut client) else {
                continue;
            };
            let asked: Value = serde_json::from_slice(request.body()).unwrap();
            let answer = |entry: &Value| match entry["Detail"].as_str().unwrap().contains("fail") {
                true => json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "not now" }),
                false => json!({ "EventId": "1" }),
            };
            let entries: Vec<Value> = asked["Entries"]
                .as_array()
                .unwrap()
                .iter()
                .map(answer)
                .collect();
            let failed = entries
                .iter()
                .filter(|entry| entry["ErrorCode"].is_string())
                .count();
            let body = json!({ "FailedEntryCount": failed, "Entries": entries }).to_string();
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close";
            write!(
                client,
                "{head}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            let _ = client.shutdown(Shutdown::Both);
        }
    });
    url
}

#[tokio::test]
async fn refused_events_stay_visible_in_the_queue() {
    let deployed = Deployed::new("refused").await;
    let stay = letter("wm.grant.added", &json!({ "word": "fail" }));
    for body in [
        &letter("wm.grant.added", &json!({ "word": "go" })),
        &stay,
        "no event",
    ] {
        send(&deployed.notify, body).await;
    }
    let program = Program::aws().with("AWS_ENDPOINT_URL_EVENTBRIDGE", &selective_bus());
    let ran = program.run(&["redrive", "--prefix", "refused"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.out
            .contains("refused-dev-notify-dead-letters  1 sent again  2 left"),
        "{ran:?}"
    );
    assert!(ran.err.contains("was not accepted: not now"), "{ran:?}");
    assert!(ran.err.contains("is not an event"), "{ran:?}");
    assert!(
        ran.err
            .contains("error: 2 could not be sent again and stay in their queues"),
        "{ran:?}"
    );
    let mut left = bodies(&deployed.notify).await;
    left.sort_unstable();
    assert_eq!(left, ["no event".to_owned(), stay]);
}

#[tokio::test]
async fn unresponsive_bus_loses_nothing() {
    let deployed = Deployed::new("unanswered").await;
    let body = letter("wm.grant.added", &json!({}));
    send(&deployed.notify, &body).await;
    let program = Program::aws().with("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://127.0.0.1:9");
    let message = program.refuses(&["redrive", "--prefix", "unanswered"], 1);
    assert!(
        message.contains("`events:PutEvents` failed, the service cannot be reached"),
        "{message}"
    );
    assert_eq!(bodies(&deployed.notify).await, [body]);
}

#[test]
fn missing_deployment_is_named() {
    let message = Program::aws().refuses(&["redrive", "--prefix", "nowhere"], 1);
    assert!(
        message.contains("there is no queue `nowhere-dev-notify-dead-letters`: deploy"),
        "{message}"
    );
}
