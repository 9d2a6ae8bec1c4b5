//! Events in a file of JSON lines, and mail in a maildir.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper that cannot go on fails its test"
)]

use std::{
    fs::{self, OpenOptions},
    io::Write,
};

use serde_json::json;
use wm_core::{jobs::mail::Message, record::CloudEvent};
use wm_local::{data_directory::Layout, events::EventLog, mail::Maildir};
use wm_service::ports::{Events, Mail};

fn event(seq: u64) -> CloudEvent {
    let surface = "srf_01arz3ndektsv4rrffq69g5fav_00001";
    let scope = "ACCOUNT#acc_01arz3ndektsv4rrffq69g5fav";
    serde_json::from_value(json!({
        "specversion": "1.0",
        "id": format!("{surface}/{scope}/{seq}"),
        "source": format!("/surfaces/{surface}"),
        "type": "wm.account.created",
        "subject": scope,
        "time": "2026-11-23T09:30:00.000Z",
        "datacontenttype": "application/json",
        "data": {
            "surface": surface,
            "scope": scope,
            "seq": seq,
            "event": "account.created",
            "actor": "system",
            "request_id": "req_01arz3ndektsv4rrffq69g5fav",
            "changes": [],
        },
    }))
    .unwrap()
}

#[tokio::test]
async fn events_are_lines_in_the_order_they_were_published() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let log = EventLog::open(&path).unwrap();
    let published = log.publish(&[event(1), event(2)]).await;
    assert!(published.len() == 2 && published.iter().all(Result::is_ok));
    let log = EventLog::open(&path).unwrap();
    assert!(log.publish(&[]).await.is_empty());
    log.publish(&[event(3)]).await;
    let text = fs::read_to_string(&path).unwrap();
    let events: Vec<CloudEvent> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events, [event(1), event(2), event(3)]);
}

#[tokio::test]
async fn case_64_torn_event_line_damages_no_other_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    EventLog::open(&path).unwrap().publish(&[event(1)]).await;
    let torn = serde_json::to_string(&event(2)).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&torn.as_bytes()[..40]).unwrap();
    EventLog::open(&path).unwrap().publish(&[event(2)]).await;
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Option<CloudEvent>> = text
        .lines()
        .map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(lines, [Some(event(1)), None, Some(event(2))]);
}

#[tokio::test]
async fn case_66_full_disk_is_reported_for_every_event() {
    // `/dev/full` is a device that is always full, on Linux.
    let Ok(log) = EventLog::open(std::path::Path::new("/dev/full")) else {
        return;
    };
    let published = log.publish(&[event(1), event(2)]).await;
    assert!(published.len() == 2 && published.iter().all(Result::is_err));
}

/// The only mail in a maildir: its headers and its decoded text.
async fn delivered(subject: &str, text: &str) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path());
    let message = Message {
        to: "ana@example.com".parse().unwrap(),
        subject: subject.to_owned(),
        text: text.to_owned(),
    };
    Maildir::open(&layout)
        .unwrap()
        .send(&message)
        .await
        .unwrap();
    let names = |name| fs::read_dir(layout.mail().join(name)).unwrap();
    assert_eq!(names("tmp").count(), 0);
    let mails: Vec<_> = names("new").map(|entry| entry.unwrap().path()).collect();
    assert_eq!(mails.len(), 1);
    let mail = fs::read_to_string(&mails[0]).unwrap();
    let (headers, body) = mail.split_once("\n\n").unwrap();
    (headers.to_owned(), body.to_owned())
}

#[tokio::test]
async fn mail_keeps_plain_text_and_long_links() {
    let link = format!(
        "http://127.0.0.1:7878/invitations?token={}",
        "x".repeat(400)
    );
    let text = format!("You are invited.\n\n{link}\n");
    let (headers, body) = delivered("Join us", &text).await;
    assert_eq!(body.trim_end(), text.trim_end());
    for expected in [
        "To: ana@example.com",
        "Subject: Join us",
        "From: ",
        "Date: ",
        "Message-ID: <",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
    ] {
        assert!(
            headers.contains(expected),
            "{expected} is not in\n{headers}"
        );
    }
}

#[tokio::test]
async fn mail_encodes_other_text_and_keeps_headers_ascii() {
    let text = "Grüße von Ana\nhttp://127.0.0.1:7878/?token=abc=def\n";
    let (headers, body) = delivered("Einladung für Ana", text).await;
    assert!(headers.is_ascii() && body.is_ascii());
    assert!(
        headers.contains("Subject: ") && headers.contains("=?utf-8?"),
        "{headers}"
    );
    assert!(headers.contains("Content-Transfer-Encoding: quoted-printable"));
    let decoded = quoted_printable(&body);
    assert_eq!(decoded.trim_end(), text.trim_end());
}

#[tokio::test]
async fn mail_subject_cannot_add_headers() {
    let (headers, _) = delivered("Hello\r\nBcc: eve@example.com", "x").await;
    assert!(
        headers.lines().all(|line| !line.starts_with("Bcc")),
        "{headers}"
    );
}

/// Decodes quoted-printable text (RFC 2045 section 6.7) that is UTF-8.
fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'=', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
