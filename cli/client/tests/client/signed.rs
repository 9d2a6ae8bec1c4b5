//! Requests to signed URLs.

use std::{collections::BTreeMap, error::Error};

use wm_client::{Transfer, TransferError, TransferErrorKind};
use wm_core::{
    operation::plan::{PartPlan, UploadPlan},
    value::Timestamp,
};

use crate::scripted::{Scripted, answer};

const SIGNED: &str = "signature=confidential";

fn headers() -> BTreeMap<String, String> {
    BTreeMap::from([("x-checksum".to_owned(), "abc".to_owned())])
}

fn single(server: &Scripted) -> UploadPlan {
    UploadPlan::Single {
        method: "PUT".into(),
        url: format!("{}/object?{SIGNED}", server.url),
        headers: headers(),
        expires_at: Timestamp::from_millis(0),
    }
}

fn in_parts(server: &Scripted) -> UploadPlan {
    let part = |number| PartPlan {
        number,
        method: "PUT".into(),
        url: format!("{}/object/{number}?{SIGNED}", server.url),
        headers: headers(),
    };
    UploadPlan::Multipart {
        part_size: 4,
        parts: vec![part(1), part(2), part(3)],
        expires_at: Timestamp::from_millis(0),
    }
}

fn shown(error: &TransferError) -> String {
    format!("{error} {error:?} {:?}", error.source())
}

#[tokio::test]
async fn parts_are_sent_once_each_and_retried() {
    let server = Scripted::serve([
        answer("500 Internal Server Error", &[], ""),
        answer("200 OK", &["etag: \"e\""], ""),
        answer("200 OK", &["etag: \"e\""], ""),
        answer("200 OK", &[], ""),
    ]);
    let client = server.client();
    let (transfer, plan) = (Transfer::new(&client), in_parts(&server));
    let parts = transfer.send(&plan, b"0123456789").await.unwrap().parts;
    let numbers: Vec<u16> = parts.iter().map(|part| part.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let tags = parts.iter().filter(|part| part.etag == "\"e\"").count();
    assert_eq!(tags, 2);
    assert!(parts.iter().any(|part| part.etag == "none"), "{parts:?}");
    let mut bodies: Vec<_> = server.received().into_iter().map(|got| got.body).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies, [&b"0123"[..], b"4567", b"89"]);
    for request in server.received() {
        assert_eq!(request.header("x-checksum"), Some("abc"));
        assert_eq!(request.header("authorization"), None);
        let length = request.header("content-length");
        assert_eq!(length, Some(request.body.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn existing_object_counts_as_sent() {
    let server = Scripted::serve([String::new(), answer("412 Precondition Failed", &[], "")]);
    let client = server.client();
    let sent = Transfer::new(&client).send(&single(&server), b"").await;
    assert_eq!(sent.unwrap().parts, []);
    assert_eq!(
        server.received()[0].header("content-length"),
        Some("0"),
        "object stores refuse bodies of unknown length"
    );
}

#[tokio::test]
async fn refusals_of_the_storage_show_no_signed_url() {
    for (status, busy) in [("403 Forbidden", false), ("404 Not Found", true)] {
        let server = Scripted::serve([answer(status, &[], "")]);
        let client = server.client();
        let sent = Transfer::new(&client).send(&single(&server), b"a").await;
        let error = sent.unwrap_err();
        let refused = matches!(error.kind(), TransferErrorKind::StorageRefused(_));
        assert_eq!(refused, busy, "{error:?}");
        assert!(!shown(&error).contains("confidential"), "{}", shown(&error));
    }
}

#[tokio::test]
async fn unusable_url_is_not_shown() {
    let server = Scripted::serve([]);
    let client = server.client();
    let plan = UploadPlan::Single {
        method: "P UT".into(),
        url: format!("{}/?{SIGNED}", server.url),
        headers: BTreeMap::new(),
        expires_at: Timestamp::from_millis(0),
    };
    let error = Transfer::new(&client).send(&plan, b"a").await.unwrap_err();
    assert!(matches!(error.kind(), TransferErrorKind::NoMethod));
    assert!(!shown(&error).contains("confidential"), "{}", shown(&error));
}
