//! A Blob Storage behind the real adapter. Besides the common scenarios: the bound parts of a
//! shared access signature, blocks, and the adapter itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wm_core::{
    operation::Part,
    storage::{ObjectPath, UploadLimits},
    value::{Sha256, Timestamp},
};
use wm_service::{
    clock::now,
    ports::{Artifacts, PortErrorKind},
};
use wm_test_results::Recording;
use wm_tests::{
    client::{Person, object_request},
    emulators::azurite::token,
    harness::{Answer, Harness, ObjectRequest},
    suite,
    surfaces::{
        azure::AzureSurface,
        blob::{BlobSurface, CONTAINER},
    },
};

use super::{BYTES, Declared, InParts, completed, query};

crate::harness::scenarios! { BlobSurface:
    large_file_is_uploaded_in_parts,
}

crate::harness::scenarios! { AzureSurface:
    object_completes_its_upload,
}

macro_rules! on_azurite {
    ($($module:ident::$name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                suite::$module::$name(&BlobSurface::start().await).await;
            }
        )*
    };
}

on_azurite! {
    uploads::case_43_signed_urls_expire_soon,
    uploads::case_44_empty_file_is_valid,
    uploads::case_47_uncompleted_upload_expires,
    uploads::case_49_markup_is_served_as_attachment,
    attacks::upload_oversize,
    attacks::upload_short,
    attacks::upload_wrong_hash,
    attacks::upload_wrong_type,
    attacks::upload_other_key,
    attacks::upload_late_put,
    attacks::upload_late_put_after_its_end,
    attacks::upload_replay,
    attacks::upload_revoked_between_issue_and_completion,
    attacks::upload_completed_twice,
    attacks::upload_completed_by_another,
    attacks::upload_tampered_url,
    attacks::upload_unsigned_url,
}

const EXAMPLE: &str = "accounts/acc_01arz3ndektsv4rrffq69g5fav/projects/prj_01arz3ndektsv4rrffq69g5fav01arz3ndektsv4rrffq69g5faw/artifacts/art_01arz3ndektsv4rrffq69g5fav/raw/1/a.txt";

impl InParts for BlobSurface {
    const PART_STORED: u16 = 201;

    async fn start() -> Self {
        Self::start().await
    }

    /// Like the service, azurite gives no ETag to a block.
    fn etag(answer: &Answer) -> String {
        answer.header("etag").unwrap_or("none").to_owned()
    }

    async fn announce(&self, plan: &Value) {
        self.ingest(&path(plan)).await;
    }
}

/// The object of a plan's URLs.
fn path(plan: &Value) -> ObjectPath {
    let step = match plan["parts"].as_array() {
        Some(parts) => &parts[0],
        None => plan,
    };
    let url = step["url"].as_str().unwrap().split('?').next().unwrap();
    let (_, path) = url.split_once(&format!("/{CONTAINER}/")).unwrap();
    let path = percent_encoding::percent_decode_str(path).decode_utf8();
    path.unwrap().parse().unwrap()
}

/// Sends bytes in one request, which the store accepts.
async fn send(surface: &BlobSurface, step: &Value, bytes: &[u8]) {
    let answer = surface.object(object_request(step, bytes.to_vec())).await;
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, 201, "{text}");
}

fn seconds(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().millis() / 1000
}

/// The request with these headers changed or added.
fn under(request: &ObjectRequest, headers: &[(&str, &str)]) -> ObjectRequest {
    let mut changed = request.clone();
    for (name, value) in headers {
        changed.headers.retain(|(known, _)| known != name);
        changed.headers.push(((*name).into(), (*value).into()));
    }
    changed
}

/// The request with this part of its URL replaced.
#[track_caller]
fn replaced(request: &ObjectRequest, from: &str, to: &str) -> ObjectRequest {
    assert!(request.url.contains(from), "no {from} in {}", request.url);
    ObjectRequest {
        url: request.url.replacen(from, to, 1),
        ..request.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_42_upload_url_binds_all_but_the_digest() {
    let _recording = Recording::start();
    let surface = BlobSurface::start().await;
    let upload = Declared::on(&surface, "a.txt", BYTES).await;
    let good = upload.request(BYTES);
    let says = |name| query(&good.url, name);
    assert_eq!(
        (says("sp"), says("sr"), says("spr")),
        ("c".into(), "b".into(), "https".into())
    );
    assert_eq!(says("srh"), "content-length,content-type,x-ms-blob-type");
    let left = seconds(&says("se")) - now().millis() / 1000;
    assert!((0..=15 * 60).contains(&left), "it lives for {left} s");
    for (place, (name, _)) in good.headers.iter().enumerate() {
        let mut dropped = good.clone();
        dropped.headers.remove(place);
        upload.refuse(&dropped, &format!("without {name}")).await;
    }
    for (name, value) in [
        ("content-type", "text/html"),
        ("content-type", "TEXT/PLAIN"),
        ("content-type", "text/plain; charset=utf-8"),
        ("x-ms-blob-type", "AppendBlob"),
        ("x-ms-blob-type", "PageBlob"),
    ] {
        upload.refuse(&under(&good, &[(name, value)]), value).await;
    }
    for body in [&BYTES[1..], b"", &[BYTES, b"!"].concat()] {
        let request = ObjectRequest {
            body: body.to_vec(),
            ..good.clone()
        };
        upload.refuse(&request, "another length").await;
    }
    let (start, end) = (says("st"), says("se"));
    for (name, value, other) in [
        ("sp", "c", "cw"),
        ("sp", "c", "racwd"),
        ("sr", "b", "c"),
        ("spr", "https", "https,http"),
        ("sv", "2026-04-06", "2025-11-05"),
        ("sks", "b", "q"),
        ("srh", "content-length,", ""),
    ] {
        let request = replaced(
            &good,
            &format!("&{name}={value}").replace("&sv", "sv"),
            &format!("&{name}={other}"),
        );
        upload.refuse(&request, other).await;
    }
    let later = end.replacen("20", "21", 1);
    upload
        .refuse(&replaced(&good, &end, &later), "a later end")
        .await;
    let earlier = start.replacen("20", "19", 1);
    upload
        .refuse(&replaced(&good, &start, &earlier), "an earlier start")
        .await;
    upload.complete(json!({})).await.expect(409);
    assert_eq!(surface.object(good).await.status, 201);
    upload.complete(json!({})).await.expect(200);
}

/// Asserts that a URL that may create an object allows no other action.
async fn assert_does_nothing_else(
    upload: &Declared<'_, BlobSurface>,
    good: &ObjectRequest,
    state: &str,
) {
    let (bare, signature) = good.url.split_once('?').unwrap();
    let to = |method: &str, url: String| ObjectRequest {
        method: method.into(),
        url,
        ..good.clone()
    };
    for method in ["GET", "HEAD", "DELETE", "POST", "PATCH"] {
        let request = to(method, good.url.clone());
        upload.refuse(&request, &format!("{method} {state}")).await;
    }
    for method in ["PUT", "GET", "HEAD", "DELETE"] {
        let request = to(method, bare.into());
        upload
            .refuse(&request, &format!("{method} unsigned {state}"))
            .await;
    }
    for operation in [
        "block&blockid=AAAA",
        "metadata",
        "properties",
        "snapshot",
        "lease",
        "tags",
        "tier",
        "undelete",
        "copy",
    ] {
        let request = to("PUT", format!("{}&comp={operation}", good.url));
        let mut request = under(&request, FOR_EVER);
        // With this header azurite carries out the plan while it can, whatever `comp` says.
        let planned = state == "before";
        request
            .headers
            .retain(|(name, _)| !planned || name != "x-ms-blob-type");
        upload
            .refuse(&request, &format!("{operation} {state}"))
            .await;
    }
    let container = format!("{}/{CONTAINER}", upload.surface.azurite.url);
    for operation in ["", "&comp=list", "&comp=acl"] {
        for method in ["GET", "PUT", "DELETE"] {
            let url = format!("{container}?restype=container{operation}&{signature}");
            let what = format!("{method} container{operation} {state}");
            upload.refuse(&to(method, url), &what).await;
        }
    }
    let request = to("PUT", format!("{bare}x?{signature}"));
    upload
        .refuse(&request, &format!("another object {state}"))
        .await;
}

/// Leases the object without expiry.
const FOR_EVER: &[(&str, &str)] = &[
    ("x-ms-lease-action", "acquire"),
    ("x-ms-lease-duration", "-1"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_46_upload_url_allows_creation_only() {
    let surface = BlobSurface::start().await;
    let upload = Declared::on(&surface, "a.txt", BYTES).await;
    let good = upload.request(BYTES);
    assert_does_nothing_else(&upload, &good, "before").await;
    upload.complete(json!({})).await.expect(409);
    assert_eq!(surface.object(good.clone()).await.status, 201);
    assert_does_nothing_else(&upload, &good, "after").await;
    let list = replaced(&good, "?", "?comp=blocklist&");
    upload.refuse(&list, "a list of blocks").await;
    let flipped: Vec<u8> = BYTES.iter().map(|byte| byte ^ 1).collect();
    for body in [BYTES, &flipped] {
        let request = ObjectRequest {
            body: body.to_vec(),
            ..good.clone()
        };
        upload.refuse(&request, "a replay").await;
    }
    upload.complete(json!({})).await.expect(200);
    assert_eq!(upload.downloaded().await.body, BYTES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_46_upload_url_allows_no_copy_from_elsewhere() {
    let surface = BlobSurface::start().await;
    let there = Declared::on(&surface, "there.txt", BYTES).await;
    let source = there.request(BYTES);
    assert_eq!(surface.object(source.clone()).await.status, 201);
    let upload = Declared::on(&surface, "a.txt", BYTES).await;
    let good = upload.request(BYTES);
    let copying = [("x-ms-copy-source", source.url.as_str())];
    let synchronous = [copying[0], ("x-ms-requires-sync", "true")];
    for body in [BYTES, b""] {
        for headers in [&copying[..], &synchronous] {
            let mut request = under(&good, headers);
            request.body = body.to_vec();
            let answer = surface.object(request.clone()).await;
            // azurite does not implement it and answers with an error.
            assert!(answer.status >= 400, "{}", answer.status);
            request.headers.retain(|(name, _)| name != "x-ms-blob-type");
            upload.refuse(&request, "a copy").await;
        }
    }
    assert_eq!(upload.status().await, "pending");
    assert_eq!(surface.object(good).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_43_url_expires_at_its_end() {
    // The plan has expired by the clock of the surface, so it is signed for one second.
    let an_hour_ago = now().before(Duration::from_hours(1));
    let surface = BlobSurface::with(UploadLimits::default(), an_hour_ago).await;
    let upload = Declared::on(&surface, "a.txt", BYTES).await;
    let request = upload.request(BYTES);
    let end = seconds(&query(&request.url, "se"));
    assert!(end - now().millis() / 1000 <= 1);
    while now().millis() / 1000 <= end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    upload.refuse(&request, "an expired URL").await;
    assert_eq!(upload.status().await, "pending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_49_download_is_served_as_signed() {
    let surface = BlobSurface::start().await;
    let name = "é a+b & 'c';=@,~!$ (1).html";
    let upload = Declared::on(&surface, name, BYTES).await;
    send(&surface, &upload.plan, BYTES).await;
    upload.complete(json!({})).await.expect(200);
    let served = upload.downloaded().await;
    assert_eq!((served.status, served.body.as_slice()), (200, BYTES));
    assert_eq!(served.header("content-type"), Some("text/plain"));
    assert_eq!(served.header("cache-control"), Some("private, no-store"));
    let disposition = served.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment; "), "{disposition}");
    let good = upload.download_request().await;
    for (from, to) in [
        ("rscd=attachment", "rscd=inline"),
        ("rsct=text%2Fplain", "rsct=text%2Fhtml"),
        ("sp=r", "sp=rd"),
        ("&rscc=private", "&rscx=private"),
    ] {
        upload.refuse(&replaced(&good, from, to), to).await;
    }
    for method in ["PUT", "DELETE", "POST"] {
        let request = ObjectRequest {
            method: method.into(),
            ..good.clone()
        };
        upload
            .refuse(&under(&request, &[("x-ms-blob-type", "BlockBlob")]), method)
            .await;
    }
    let request = ObjectRequest {
        url: format!("{}&snapshot=2026-11-28T13:00:00.0000000Z", good.url),
        ..good
    };
    upload.refuse(&request, "a snapshot").await;
}

/// A small part size, so that there are many parts.
const SMALL: UploadLimits = UploadLimits {
    single_limit: 64,
    part_size: 32,
};

/// Three full parts and a shorter one.
fn in_parts() -> Vec<u8> {
    (0..100).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_46_part_url_allows_only_that_part() {
    let surface = BlobSurface::with(SMALL, now()).await;
    let bytes = in_parts();
    let upload = Declared::on(&surface, "a.bin", &bytes).await;
    let parts = upload.plan["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 4);
    let first = object_request(&parts[0], bytes[..32].to_vec());
    let says = |name| query(&first.url, name);
    assert_eq!(
        (says("srq"), says("srh")),
        ("blockid,comp".into(), "content-length".into())
    );
    assert!(first.headers.is_empty());
    let block = says("blockid");
    let second = query(parts[1]["url"].as_str().unwrap(), "blockid");
    for body in [&bytes[..31], &bytes[..33], b""] {
        let request = ObjectRequest {
            body: body.to_vec(),
            ..first.clone()
        };
        upload.refuse(&request, "another length").await;
    }
    for (from, to) in [
        (block.as_str(), second.as_str()),
        ("comp=block&", ""),
        ("comp=block&", "comp=blocklist&"),
        ("comp=block&", "comp=metadata&"),
        ("comp=block&", "comp=properties&"),
        ("comp=block&", "comp=lease&"),
        ("comp=block&", "comp=page&"),
        ("comp=block&", "comp=appendblock&"),
        ("&srq=blockid,comp", ""),
        ("&srq=blockid,comp", "&srq=blockid"),
        ("&sp=w", "&sp=cw"),
    ] {
        let request = under(
            &replaced(&first, from, to),
            &[("x-ms-blob-type", "BlockBlob"), FOR_EVER[0], FOR_EVER[1]],
        );
        upload.refuse(&request, &format!("{to} for {from}")).await;
    }
    for method in ["GET", "HEAD", "DELETE", "POST"] {
        let request = ObjectRequest {
            method: method.into(),
            ..first.clone()
        };
        upload.refuse(&request, method).await;
    }
    let other = first.url.split_once('?').unwrap();
    let request = ObjectRequest {
        url: format!("{}x?{}", other.0, other.1),
        ..first.clone()
    };
    upload.refuse(&request, "another object").await;
    let claimed: Vec<Value> = (1..=4)
        .map(|number| json!({ "number": number, "etag": "none" }))
        .collect();
    upload
        .complete(json!({ "parts": claimed }))
        .await
        .expect(409);
    let sent = upload
        .ana
        .follow(
            &json!({ "kind": "multipart", "part_size": 32, "parts": parts[..3] }),
            &bytes[..96],
        )
        .await;
    assert_eq!(sent.len(), 3);
    upload
        .complete(json!({ "parts": claimed }))
        .await
        .expect(409);
    assert_eq!(upload.status().await, "pending");
    let last = object_request(&parts[3], bytes[96..].to_vec());
    assert_eq!(surface.object(last).await.status, 201);
    upload
        .complete(json!({ "parts": claimed }))
        .await
        .expect(202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_45_late_parts_change_nothing() {
    let surface = BlobSurface::with(SMALL, now()).await;
    let bytes = in_parts();
    let upload = Declared::on(&surface, "a.bin", &bytes).await;
    // A new plan for the same upload has the same blocks.
    let again = upload
        .ana
        .post(&format!("{}/upload", upload.version), json!({}))
        .await
        .expect(200)
        .body;
    let block = |plan: &Value| query(plan["parts"][2]["url"].as_str().unwrap(), "blockid");
    assert_eq!(block(&upload.plan), block(&again["upload"]));
    let answers = upload.ana.follow(&upload.plan, &bytes).await;
    let parts = json!({ "parts": completed::<BlobSurface>(&answers) });
    let (one, two) = tokio::join!(
        upload.complete(parts.clone()),
        upload.complete(parts.clone())
    );
    assert_eq!(one.expect(202).body, two.expect(202).body);
    let wrong: Vec<u8> = bytes.iter().map(|byte| byte ^ 1).collect();
    // No URL allows a list that names them.
    for answer in upload.ana.follow(&upload.plan, &wrong).await {
        assert!(
            [201, 403, 409].contains(&answer.status),
            "{}",
            answer.status
        );
    }
    let path = path(&upload.plan);
    surface.ingest(&path).await;
    assert_eq!(upload.status().await, "available");
    upload.complete(parts).await.expect(200);
    assert_eq!(upload.downloaded().await.body, bytes);
    // The store gives the same answer to every later completion.
    let upload_id = &block(&upload.plan)[..24];
    let parts: Vec<Part> = (1..=4)
        .map(|number| Part {
            number,
            etag: "none".into(),
        })
        .collect();
    let first = surface
        .artifacts()
        .assemble(&path, upload_id, &parts)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.size, 100);
    let missing: Vec<Part> = (1..=5)
        .map(|number| Part {
            number,
            etag: "none".into(),
        })
        .collect();
    let again = surface
        .artifacts()
        .assemble(&path, upload_id, &missing)
        .await
        .unwrap();
    assert_eq!(again, Some(first));
    assert_eq!(upload.downloaded().await.body, bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_48_parts_with_other_bytes_are_never_served() {
    let surface = BlobSurface::with(SMALL, now()).await;
    let bytes = in_parts();
    let upload = Declared::on(&surface, "a.bin", &bytes).await;
    let wrong: Vec<u8> = bytes.iter().map(|byte| byte ^ 1).collect();
    let answers = upload.ana.follow(&upload.plan, &wrong).await;
    let parts = json!({ "parts": completed::<BlobSurface>(&answers) });
    upload.complete(parts).await.expect(202);
    surface.ingest(&path(&upload.plan)).await;
    assert_eq!(upload.status().await, "rejected");
    upload.download().await.expect(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_signs_all_concurrent_requests() {
    let surface = BlobSurface::start().await;
    let ana = Person::new(&surface, "ana");
    let project = ana.project(&ana.account().await).await;
    let names: Vec<String> = (0..30).map(|number| format!("{number}.txt")).collect();
    let declared = names.iter().map(|name| ana.declare(&project, name, BYTES));
    for answer in futures_util::future::join_all(declared).await {
        let plan = answer.expect(201).body["upload"].clone();
        send(&surface, &plan, BYTES).await;
    }
    // Its log is in order.
    let begun = Instant::now();
    while surface.azurite.logged("PUT ", "29.txt") == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "azurite logged nothing"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(surface.azurite.logged("POST ", "comp=userdelegationkey"), 1);
    assert_eq!(surface.identity.token_requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unresponsive_store_is_unavailable() {
    let surface = BlobSurface::without_store();
    let ana = Person::new(&surface, "ana");
    let project = ana.project(&ana.account().await).await;
    let refused = ana.declare(&project, "a.txt", BYTES).await.expect(503);
    let text = refused.body.to_string();
    assert!(!text.contains("127.0.0.1"), "{text}");
    let path = EXAMPLE.parse().unwrap();
    let store = surface.artifacts();
    for error in [
        store.stat(&path, true).await.unwrap_err(),
        store.remove(&path, None).await.unwrap_err(),
        store.assemble(&path, "0", &[]).await.unwrap_err(),
        store.older_than(now(), None, 1).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, PortErrorKind::Unavailable);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_found_measured_listed_and_deleted() {
    let surface = BlobSurface::start().await;
    let ana = Person::new(&surface, "ana");
    let project = ana.project(&ana.account().await).await;
    let mut paths = Vec::new();
    for name in ["b.txt", "a.txt", "é & 'x'.txt"] {
        let declared = ana.declare(&project, name, BYTES).await.expect(201).body;
        let path = path(&declared["upload"]);
        let store = surface.artifacts();
        assert_eq!(store.stat(&path, true).await.unwrap(), None);
        send(&surface, &declared["upload"], BYTES).await;
        let known = store.stat(&path, false).await.unwrap().unwrap();
        assert_eq!((known.size, known.sha256), (BYTES.len() as u64, None));
        let read = store.stat(&path, true).await.unwrap().unwrap();
        assert_eq!(read.sha256, Some(Sha256::of(BYTES)));
        paths.push(path);
    }
    for foreign in ["other/a.txt", "accounts/a.txt"] {
        let answer = surface
            .azurite
            .client()
            .put(format!("{}/{CONTAINER}/{foreign}", surface.azurite.url))
            .bearer_auth(token())
            .header("x-ms-version", "2026-04-06")
            .header("x-ms-blob-type", "BlockBlob")
            .body("foreign")
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), 201);
    }
    paths.sort_by_key(ToString::to_string);
    let store = surface.artifacts();
    let later = now().after(Duration::from_hours(1));
    let listed = async |after: Option<&ObjectPath>, limit| {
        store.older_than(later, after, limit).await.unwrap()
    };
    assert_eq!(listed(None, 500).await, paths);
    assert_eq!(listed(None, 2).await, paths[..2]);
    assert_eq!(listed(Some(&paths[0]), 1).await, paths[1..2]);
    assert_eq!(listed(Some(&paths[1]), 500).await, paths[2..]);
    assert!(listed(Some(&paths[2]), 500).await.is_empty());
    let earlier = now().before(Duration::from_hours(1));
    let none = store.older_than(earlier, None, 500).await.unwrap();
    assert!(none.is_empty(), "{none:?}");
    store
        .remove(&paths[1], Some("000000000000000000000000"))
        .await
        .unwrap();
    assert_eq!(listed(None, 500).await.len(), 3);
    for _ in 0..2 {
        store.remove(&paths[1], None).await.unwrap();
    }
    assert_eq!(store.stat(&paths[1], true).await.unwrap(), None);
    // The list continues after a removed object.
    assert_eq!(listed(Some(&paths[1]), 500).await, paths[2..]);
}

#[test]
fn known_limitations_of_azurite_are_listed() {
    for (what, reason) in [
        (
            "case_45 by version",
            "it keeps no versions and does not support `sr=bv`; a test of the adapter checks such URLs",
        ),
        ("a signed URL over http", "it serves either https or http"),
        (
            "the rights of the identity",
            "it checks neither the role nor the signature of a token",
        ),
        (
            "case_46 another operation with all headers of the plan",
            "it executes the plan instead, which creates the object",
        ),
        (
            "case_46 a copy into a new object",
            "it does not support putting a blob from a URL",
        ),
        (
            "a revoked delegation key",
            "it derives keys from a constant and revokes none",
        ),
        (
            "bound headers and parameters",
            "it ignores them; tests/tools/azurite/serve.js adds them as the service documents them",
        ),
        ("deletion of blocks after a week", "it keeps them"),
    ] {
        suite::known_limitation("azurite", what, reason);
    }
}
