//! Uploads to signed URLs, and attempts to misuse the URLs.

use std::time::Duration;

use super::support::{Running, object, read_all, send, sign_upload};
use tokio::io::AsyncWriteExt;
use wm_core::{
    operation::{Part, SignUpload},
    storage::UploadLimits,
    value::Sha256,
};
use wm_local::clock::now;
use wm_service::ports::{Artifacts, SignedRequest};

const BYTES: &[u8] = b"%PDF-1.7 a document";

/// The status of a PUT to this URL with these bytes and the headers of the plan.
async fn put(signed: &SignedRequest, url: String, bytes: &'static [u8]) -> u16 {
    let signed = SignedRequest {
        url,
        ..signed.clone()
    };
    send(&signed, bytes).await.status().as_u16()
}

#[tokio::test]
async fn uploaded_object_is_complete_and_has_its_digest() {
    let mut running = Running::echo().await;
    let path = object(1, "Über uns.pdf");
    let signed = running.upload(&path, BYTES).await;
    let answer = send(&signed, BYTES).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(
        answer.headers()["etag"],
        format!("\"{}\"", Sha256::of(BYTES))
    );
    let stat = running.artifacts.stat(&path, true).await.unwrap().unwrap();
    assert_eq!(
        (stat.size, stat.sha256),
        (BYTES.len() as u64, Some(Sha256::of(BYTES)))
    );
    assert_eq!(running.created.recv().await, Some(path));
    assert!(running.files("incoming").is_empty());
}

#[tokio::test]
async fn upload_url_contains_the_object_key() {
    let running = Running::echo().await;
    let path = object(1, "report-1.pdf");
    let signed = running.upload(&path, BYTES).await;
    assert!(signed.url.contains(&format!("/{path}?")), "{}", signed.url);
}

#[tokio::test]
async fn case_40_path_that_is_not_the_key_is_refused() {
    let running = Running::echo().await;
    let signed = running.upload(&object(1, "a.pdf"), BYTES).await;
    for name in [
        "..%2fa.pdf",
        "%2e%2e/a.pdf",
        "%252e%252e",
        "..%5ca.pdf",
        "a.pdf%00",
        "a.pdf.",
        "a.pdf/",
        "a.pdf/..",
        "caf%65%CC%81.pdf",
    ] {
        let url = signed.url.replace("a.pdf?", &format!("{name}?"));
        assert!(
            [403, 404].contains(&put(&signed, url, BYTES).await),
            "{name}"
        );
    }
    // Unnecessary encoding gives the same name after one decoding.
    let url = signed.url.replace("a.pdf?", "%61.pdf?");
    assert_eq!(put(&signed, url, BYTES).await, 201);
    assert_eq!(running.files("objects"), ["a.pdf", "a.pdf#sha256"]);
}

#[tokio::test]
async fn case_42_altered_url_is_refused_and_the_plan_stays_usable() {
    let running = Running::echo().await;
    let path = object(1, "a.pdf");
    let signed = running.upload(&path, BYTES).await;
    let size = format!("size={}", BYTES.len());
    let (_, after) = signed.url.split_once("expires=").unwrap();
    let expires = after.split('&').next().unwrap();
    for (from, to) in [
        ("raw/ver_0", "raw/ver_1"),
        (size.as_str(), "size=1"),
        ("type=application%2Fpdf", "type=text%2Fhtml"),
        (expires, "2999-01-01T00%3A00%3A00.000Z"),
        ("sha256=", "sha256=0"),
        ("&signature=", "&signature=0"),
        ("&signature=", "&other="),
        ("&signature=", "&size=1&signature="),
    ] {
        let url = signed.url.replacen(from, to, 1);
        assert_ne!(url, signed.url);
        assert_eq!(put(&signed, url, BYTES).await, 403, "{from}");
    }
    for method in ["GET", "HEAD", "POST", "DELETE", "PATCH"] {
        let method: reqwest::Method = method.parse().unwrap();
        let request = reqwest::Client::new().request(method.clone(), &signed.url);
        assert_eq!(request.send().await.unwrap().status(), 403, "{method}");
    }
    assert!(running.files("objects").is_empty() && running.files("incoming").is_empty());
    assert_eq!(send(&signed, BYTES).await.status(), 201);
}

#[tokio::test]
async fn case_42_expired_url_is_refused() {
    let running = Running::echo().await;
    let upload = sign_upload(&object(1, "a.pdf"), BYTES, now());
    let signed = running.artifacts.sign_upload(&upload).await.unwrap();
    let answer = send(&signed, BYTES).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "urn:wm:problem:forbidden");
    assert!(problem["request_id"].as_str().unwrap().starts_with("req_"));
}

#[tokio::test]
async fn case_43_signed_url_expires_within_a_day() {
    let running = Running::echo().await;
    let century = now().after(Duration::from_hours(100 * 365 * 24));
    let upload = sign_upload(&object(1, "a.pdf"), BYTES, century);
    let signed = running.artifacts.sign_upload(&upload).await.unwrap();
    let url = reqwest::Url::parse(&signed.url).unwrap();
    let (_, expires) = url
        .query_pairs()
        .find(|(name, _)| name == "expires")
        .unwrap();
    let expires: wm_core::value::Timestamp = expires.parse().unwrap();
    assert!(
        expires <= now().after(Duration::from_hours(24)),
        "{expires}"
    );
}

#[tokio::test]
async fn case_44_other_bytes_are_refused_and_the_plan_stays_usable() {
    let running = Running::echo().await;
    let signed = running.upload(&object(1, "a.pdf"), BYTES).await;
    let longer: &[u8] = b"%PDF-1.7 a document and more";
    for wrong in [longer, b"", b"%PDF-1.7 a dokument"] {
        let answer = send(&signed, wrong).await;
        assert_eq!(answer.status(), 400, "{wrong:?}");
    }
    // Without a length, the server counts the bytes of the chunks.
    for wrong in [longer, b"", b"%PDF"] {
        let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(wrong)]);
        let answer = send(&signed, reqwest::Body::wrap_stream(chunks)).await;
        assert_eq!(answer.status(), 400, "{wrong:?}");
    }
    assert!(running.files("objects").is_empty() && running.files("incoming").is_empty());
    let chunks = futures_util::stream::iter(BYTES.chunks(7).map(Ok::<_, std::io::Error>));
    let answer = send(&signed, reqwest::Body::wrap_stream(chunks)).await;
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn case_44_object_may_be_empty() {
    let running = Running::echo().await;
    let path = object(1, "empty.pdf");
    let signed = running.upload(&path, b"").await;
    assert_eq!(send(&signed, "").await.status(), 201);
    let stat = running.artifacts.stat(&path, true).await.unwrap().unwrap();
    assert_eq!((stat.size, stat.sha256), (0, Some(Sha256::of(b""))));
    let signed = running.download(&path, "application/pdf").await;
    let answer = send(&signed, "").await;
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.bytes().await.unwrap().len()
        ),
        (200, 0)
    );
}

#[tokio::test]
async fn media_type_that_was_not_declared_is_refused() {
    let running = Running::echo().await;
    let mut signed = running.upload(&object(1, "a.pdf"), BYTES).await;
    signed.headers[0].1 = "text/html".to_owned();
    let answer = send(&signed, BYTES).await;
    assert_eq!(answer.status(), 400);
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["errors"][0]["field"], "content-type");
    signed.headers.clear();
    assert_eq!(send(&signed, BYTES).await.status(), 400);
}

#[tokio::test]
async fn case_45_object_is_never_overwritten() {
    let running = Running::echo().await;
    let path = object(1, "a.pdf");
    let signed = running.upload(&path, BYTES).await;
    assert_eq!(send(&signed, BYTES).await.status(), 201);
    let other: &[u8] = b"something else";
    let again = running.upload(&path, other).await;
    for (signed, bytes) in [(&signed, BYTES), (&again, other)] {
        assert_eq!(send(signed, bytes).await.status(), 412);
    }
    let stat = running.artifacts.stat(&path, true).await.unwrap().unwrap();
    assert_eq!(stat.sha256, Some(Sha256::of(BYTES)));
}

#[tokio::test]
async fn case_46_one_of_many_concurrent_uploads_succeeds() {
    let running = Running::echo().await;
    let path = object(1, "a.pdf");
    let contents: Vec<Vec<u8>> = (0..16_u8).map(|byte| vec![byte; 50_000]).collect();
    let mut uploads = Vec::new();
    for bytes in &contents {
        let signed = running.upload(&path, bytes).await;
        let bytes = bytes.clone();
        uploads.push(async move { send(&signed, bytes).await.status().as_u16() });
    }
    let statuses = futures_util::future::join_all(uploads).await;
    let winners: Vec<usize> = (0..16).filter(|at| statuses[*at] == 201).collect();
    assert_eq!(winners.len(), 1, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [201, 412].contains(status)),
        "{statuses:?}"
    );
    let signed = running.download(&path, "application/pdf").await;
    let served = send(&signed, "").await.bytes().await.unwrap();
    assert_eq!(served, contents[winners[0]]);
    let stat = running.artifacts.stat(&path, true).await.unwrap().unwrap();
    assert_eq!(stat.sha256, Some(Sha256::of(&served)));
    assert!(running.files("incoming").is_empty());
}

#[tokio::test]
async fn case_48_partial_upload_is_never_visible() {
    let running = Running::echo().await;
    let path = object(1, "a.pdf");
    let signed = running.upload(&path, BYTES).await;
    let url = reqwest::Url::parse(&signed.url).unwrap();
    let head = format!(
        "PUT {}?{} HTTP/1.1\r\nhost: x\r\ncontent-type: application/pdf\r\ncontent-length: {}\r\n\r\n",
        url.path(),
        url.query().unwrap(),
        BYTES.len(),
    );
    let mut stream = running.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&BYTES[..5]).await.unwrap();
    while running.files("incoming").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(running.artifacts.stat(&path, true).await.unwrap(), None);
    stream.shutdown().await.unwrap();
    read_all(&mut stream).await;
    while !running.files("incoming").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(running.artifacts.stat(&path, true).await.unwrap(), None);
    assert_eq!(send(&signed, BYTES).await.status(), 201);
}

/// An upload in parts: four full parts and a shorter one, with the bytes of each.
fn large() -> (SignUpload, Vec<Vec<u8>>) {
    let part_size = 256 * 1024;
    let bytes: Vec<u8> = (0..4 * part_size + 1000)
        .map(|at| (at % 251) as u8)
        .collect();
    let expires_at = now().after(Duration::from_secs(60));
    let limits = UploadLimits {
        single_limit: 2 * part_size as u64,
        part_size: part_size as u64,
    };
    let upload = sign_upload(&object(1, "large.bin"), &bytes, expires_at).with_limits(limits);
    (
        upload,
        bytes.chunks(part_size).map(<[u8]>::to_vec).collect(),
    )
}

#[tokio::test]
async fn parts_are_assembled_after_all_have_arrived() {
    let running = Running::echo().await;
    let (upload, contents) = large();
    assert!(upload.is_multipart());
    let id = running.artifacts.begin_parts(&upload).await.unwrap();
    let signed = running.artifacts.sign_parts(&upload, &id).await.unwrap();
    assert_eq!(signed.len(), contents.len());
    let mut parts = Vec::new();
    for (number, (signed, bytes)) in (1..).zip(signed.iter().zip(&contents)) {
        // A part can be sent again. A part that is too short is refused.
        assert_eq!(send(signed, bytes[..10].to_vec()).await.status(), 400);
        send(signed, bytes.clone()).await;
        let answer = send(signed, bytes.clone()).await;
        assert_eq!(answer.status(), 200);
        let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
        parts.push(Part { number, etag });
        let path = upload.path();
        let early = running
            .artifacts
            .assemble(path, &id, &all(&parts, contents.len()))
            .await;
        assert_eq!(early.unwrap().is_some(), parts.len() == contents.len());
    }
    let stat = running
        .artifacts
        .stat(upload.path(), true)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (stat.size, stat.sha256),
        (upload.size().bytes(), Some(upload.sha256()))
    );
    let again = running
        .artifacts
        .assemble(upload.path(), &id, &parts)
        .await
        .unwrap();
    assert_eq!(again, Some(stat));
    assert!(running.files("incoming").is_empty());
    assert_eq!(send(&signed[0], contents[0].clone()).await.status(), 412);
}

/// The uploaded parts, and invented ETags for the others.
fn all(parts: &[Part], count: usize) -> Vec<Part> {
    let missing = (parts.len() + 1..=count).map(|number| Part {
        number: u16::try_from(number).unwrap(),
        etag: Sha256::of(b"").to_string(),
    });
    parts.iter().cloned().chain(missing).collect()
}

#[tokio::test]
async fn part_with_another_etag_counts_as_missing() {
    let running = Running::echo().await;
    let (upload, contents) = large();
    let id = running.artifacts.begin_parts(&upload).await.unwrap();
    let signed = running.artifacts.sign_parts(&upload, &id).await.unwrap();
    assert_eq!(send(&signed[0], contents[0].clone()).await.status(), 200);
    let part = |etag: Sha256| {
        [Part {
            number: 1,
            etag: etag.to_string(),
        }]
    };
    let assemble = |etag| {
        let (artifacts, path, id) = (&running.artifacts, upload.path(), &id);
        async move { artifacts.assemble(path, id, &part(etag)).await.unwrap() }
    };
    assert_eq!(assemble(Sha256::of(b"other")).await, None);
    assert!(assemble(Sha256::of(&contents[0])).await.is_some());
}

#[tokio::test]
async fn removing_an_upload_invalidates_its_urls() {
    let running = Running::echo().await;
    let (upload, contents) = large();
    let id = running.artifacts.begin_parts(&upload).await.unwrap();
    let signed = running.artifacts.sign_parts(&upload, &id).await.unwrap();
    for _ in 0..2 {
        running
            .artifacts
            .remove(upload.path(), Some(&id))
            .await
            .unwrap();
    }
    assert_eq!(send(&signed[0], contents[0].clone()).await.status(), 404);
    assert!(running.files("incoming").is_empty());
    assert!(
        running
            .artifacts
            .remove(upload.path(), Some("../../objects"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn sweep_finds_old_objects_in_order_and_removes_them() {
    let running = Running::echo().await;
    let paths = [object(1, "a.pdf"), object(2, "c.pdf"), object(10, "b.pdf")];
    for path in &paths {
        let signed = running.upload(path, BYTES).await;
        assert_eq!(send(&signed, BYTES).await.status(), 201);
    }
    let find = |time, after, limit| {
        let artifacts = &running.artifacts;
        async move { artifacts.older_than(time, after, limit).await.unwrap() }
    };
    let soon = now().after(Duration::from_secs(10));
    assert!(
        find(now().before(Duration::from_secs(10)), None, 10)
            .await
            .is_empty()
    );
    assert_eq!(find(soon, None, 10).await, paths);
    assert_eq!(find(soon, None, 2).await, paths[..2]);
    assert_eq!(find(soon, Some(&paths[1]), 2).await, paths[2..]);
    for _ in 0..2 {
        running.artifacts.remove(&paths[0], None).await.unwrap();
    }
    assert_eq!(find(soon, None, 10).await, paths[1..]);
    assert_eq!(
        running.artifacts.stat(&paths[0], false).await.unwrap(),
        None
    );
}
