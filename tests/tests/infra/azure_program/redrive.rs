//! `wm redrive azure`: dead letters return to the topic and none is lost.

use std::{fs, process::Stdio};

use serde_json::{Value, json};

use super::{
    Program,
    cloud::{Blob, Cloud, Shut},
    deploy::{deployable, tooled},
};

/// A cloud with a deployed surface.
fn deployed() -> (Cloud, Program) {
    let cloud = deployable();
    let program = tooled(&cloud);
    let recorded = "--parameters\nstorageAccountName=wmdevdocs\n";
    fs::write(program.home().join("deployed-wm-dev"), recorded).unwrap();
    (cloud, program)
}

/// Stores a dead letter of this subscription in the format of the service.
fn letter(cloud: &Cloud, subscription: &str, number: usize, events: &[Value]) {
    let dead = |event: &Value| {
        let mut event = event.clone();
        event["deadletterreason"] = "MaxDeliveryAttemptsExceeded".into();
        event["deliveryattempts"] = 24.into();
        event["lastdeliveryoutcome"] = "GenericError".into();
        event["publishtime"] = "2026-11-23T12:00:00Z".into();
        event
    };
    let body: Value = events.iter().map(dead).collect();
    put(cloud, subscription, number, &body.to_string());
}

fn put(cloud: &Cloud, subscription: &str, number: usize, body: &str) {
    let name = format!("host/dead-letters/wm-dev/{subscription}/2026/11/23/12/{number:04}.json");
    let blob = Blob {
        body: body.as_bytes().to_vec(),
        ..Blob::default()
    };
    cloud.state().blobs.insert(name, blob);
}

fn event(id: usize, kind: &str, data: &Value) -> Value {
    json!({
        "id": id.to_string(), "source": "/workspace-management/srf", "type": kind,
        "specversion": "1.0", "time": "2026-11-23T11:00:00Z", "subject": "s", "data": data,
    })
}

const REDRIVE: [&str; 3] = ["redrive", "--prefix", "wm"];

#[test]
fn dead_letters_of_both_functions_are_published_unchanged() {
    let (cloud, program) = deployed();
    let object = event(
        0,
        "Microsoft.Storage.BlobCreated",
        &json!({ "url": "https://x/accounts/y" }),
    );
    letter(&cloud, "INGEST", 0, std::slice::from_ref(&object));
    let mails: Vec<Value> = (1..8)
        .map(|number| event(number, "wm.grant.created", &json!({ "number": number })))
        .collect();
    for (number, mail) in mails.iter().enumerate().skip(1) {
        letter(&cloud, "NOTIFY", number, std::slice::from_ref(mail));
    }
    put(&cloud, "SOMEBODY-ELSE", 0, "[]");
    let plan = program.works(&[&REDRIVE[..], &["--plan"]].concat());
    assert!(plan.contains("  notify  6\n  ingest  1\n"), "{plan}");
    assert!(plan.ends_with("no dead letters were sent\n"), "{plan}");
    assert_eq!(cloud.writes(), [""; 0]);

    let one = program.works(&[&REDRIVE[..], &["--function", "ingest"]].concat());
    assert!(
        one.contains("ingest  1 sent again  0 left") && !one.contains("notify"),
        "{one}"
    );
    assert_eq!(cloud.state().events, std::slice::from_ref(&object));

    // Two events in one letter, as the service batches them.
    letter(
        &cloud,
        "INGEST-REDRIVE",
        1,
        &[object.clone(), mails[0].clone()],
    );
    let out = program.works(&REDRIVE);
    assert!(
        out.contains("notify  6 sent again  0 left\n  ingest  1 sent again  0 left"),
        "{out}"
    );
    let state = cloud.state();
    assert_eq!(state.events.len(), 9);
    for mail in &mails {
        assert!(state.events.contains(mail), "{mail}");
    }
    assert_eq!(state.blobs.len(), 1, "only the foreign blob is left");
}

#[test]
fn refused_events_stay_dead_letters() {
    let (cloud, program) = deployed();
    cloud.state().refused = Some("fail");
    letter(
        &cloud,
        "NOTIFY",
        1,
        &[event(1, "wm.x", &json!({ "word": "go" }))],
    );
    letter(
        &cloud,
        "NOTIFY",
        2,
        &[event(2, "wm.x", &json!({ "word": "fail" }))],
    );
    put(&cloud, "NOTIFY", 3, "no event");
    let ran = program.run(&REDRIVE);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("notify  1 sent again  2 left"), "{ran:?}");
    for words in [
        "0002.json` was not accepted: `Microsoft.EventGrid/events/send/action` failed",
        "0003.json` contains no events",
        "error: 2 could not be sent again and stay in their container",
    ] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(cloud.state().blobs.len(), 2);
}

#[test]
fn run_killed_at_any_write_loses_nothing() {
    for seen in [false, true] {
        for at in 0..4 {
            let (cloud, program) = deployed();
            let events: Vec<Value> = (0..2).map(|id| event(id, "wm.x", &json!({}))).collect();
            for (number, event) in events.iter().enumerate() {
                letter(&cloud, "NOTIFY", number, std::slice::from_ref(event));
            }
            cloud.again(Some(Shut { writes: at, seen }));
            let mut killed = program.command(&REDRIVE);
            let killed = killed.stdout(Stdio::null()).stderr(Stdio::null());
            let mut killed = killed.spawn().unwrap();
            cloud.wait();
            killed.kill().unwrap();
            killed.wait().unwrap();
            cloud.again(None);
            program.works(&REDRIVE);
            let state = cloud.state();
            for event in &events {
                assert!(state.events.contains(event), "{at} {seen}: {event}");
            }
            // At most the letter in progress is published twice, with the same id.
            assert!(state.events.len() <= 3, "{at} {seen}");
            assert!(state.blobs.is_empty(), "{at} {seen}");
        }
    }
}

#[test]
fn missing_rights_and_missing_deployments_are_named() {
    let (cloud, program) = deployed();
    letter(&cloud, "NOTIFY", 1, &[event(1, "wm.x", &json!({}))]);
    cloud.state().forbidden = 1;
    let message = program.refuses(&REDRIVE, 1);
    assert!(
        message.contains(
            "you may not read dead letters: request the role Storage Blob Data Contributor"
        ),
        "{message}"
    );
    assert_eq!(cloud.state().blobs.len(), 1);

    let message = tooled(&deployable()).refuses(&REDRIVE, 1);
    let words = "the deployment `wm-dev` is not in the group `wm-dev`: run `wm deploy azure` first";
    assert!(message.contains(words), "{message}");
}
