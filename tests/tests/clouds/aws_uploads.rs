//! Cases D on AWS: what a signed address lets nobody do, on two stores that know nothing of each other.

use serde_json::{Value, json};
use wm_test_results::Recording;
use wm_tests::{
    client::{Person, object_request},
    emulators::s3s::S3s,
    harness::{Answer, Harness, ObjectRequest},
    suite::{self, uploads},
    surfaces::aws::{AwsSurface, Options, Storage},
};

/// A surface whose bucket keeps no versions, because neither store shows with a version what else is
/// to be shown.
async fn on_ministack() -> AwsSurface {
    let options = Options {
        versioned: false,
        ..Options::default()
    };
    AwsSurface::with(options).await
}

/// The same with s3s for its object store.
async fn on_s3s() -> (AwsSurface, S3s) {
    let s3s = S3s::start();
    // The shortest name there is: s3s keeps what it knows of an object in a file named after both.
    let storage = Storage {
        url: s3s.url.clone(),
        bucket: "wmt".into(),
    };
    s3s.bucket(&storage.bucket);
    let options = Options {
        versioned: false,
        storage: Some(storage),
        ..Options::default()
    };
    (AwsSurface::with(options).await, s3s)
}

macro_rules! a_second_time {
    ($($module:ident::$name:ident,)*) => {
        mod s3s {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let _recording = super::Recording::start();
                    let (surface, _store) = super::on_s3s().await;
                    super::suite::$module::$name(&surface).await;
                }
            )*
        }
    };
}

a_second_time! {
    uploads::case_43_signed_urls_expire_soon,
    uploads::case_49_markup_is_served_as_attachment,
    attacks::upload_wrong_type,
    attacks::upload_other_key,
    attacks::upload_late_put,
    attacks::upload_replay,
    attacks::upload_expired,
    attacks::upload_revoked_between_issue_and_completion,
    attacks::upload_completed_twice,
    attacks::upload_completed_by_another,
    attacks::upload_tampered_url,
    attacks::upload_unsigned_url,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_49_markup_is_served_as_attachment() {
    uploads::case_49_markup_is_served_as_attachment(&on_ministack().await).await;
}

const BYTES: &[u8] = b"forty-two bytes of text, more or less: yes";

/// A project of Ana's, and a plan for an upload to it.
async fn declared(surface: &AwsSurface) -> (Person<'_, AwsSurface>, String, Value) {
    let ana = Person::new(surface, "ana");
    let project = ana.project(&ana.account().await).await;
    let declared = ana.declare(&project, "a.txt", BYTES).await.expect(201).body;
    let artifact = declared["artifact"]["id"].as_str().unwrap();
    let version = format!("/v1/projects/{project}/artifacts/{artifact}/versions/1");
    (ana, version, declared["upload"].clone())
}

fn query(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(known, _)| known == name);
    found
        .unwrap_or_else(|| panic!("no `{name}` in {url}"))
        .1
        .into_owned()
}

#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert!(
        (400..500).contains(&answer.status),
        "{what}: {} {text}",
        answer.status
    );
}

/// Whatever differs from what was signed is refused by the store itself, and what was planned works
/// after all that.
async fn assert_bound(surface: &AwsSurface) {
    let (ana, version, plan) = declared(surface).await;
    let good = object_request(&plan, BYTES.to_vec());
    let signed = query(&good.url, "X-Amz-SignedHeaders");
    let bound = [
        "content-length",
        "content-type",
        "host",
        "if-none-match",
        "x-amz-checksum-sha256",
    ];
    assert_eq!(signed.split(';').collect::<Vec<_>>(), bound);
    assert!(query(&good.url, "X-Amz-Expires").parse::<u32>().unwrap() <= 15 * 60);
    for (name, _) in &good.headers {
        assert!(
            bound.contains(&name.as_str()),
            "the plan asks for `{name}`, which nothing binds"
        );
    }
    for (place, (name, _)) in good.headers.iter().enumerate() {
        let mut dropped = good.clone();
        dropped.headers.remove(place);
        assert_refused(&surface.object(dropped).await, &format!("without {name}"));
        let mut changed = good.clone();
        changed.headers[place].1 = "application/json".into();
        assert_refused(
            &surface.object(changed).await,
            &format!("with another {name}"),
        );
    }
    let bare = good.url.split_once('?').unwrap().0.to_owned();
    for method in ["PUT", "GET", "DELETE", "HEAD", "POST"] {
        let request = ObjectRequest {
            method: method.into(),
            url: bare.clone(),
            ..good.clone()
        };
        assert_refused(
            &surface.object(request).await,
            &format!("{method} unsigned"),
        );
    }
    for added in [
        "&versionId=1",
        "&acl",
        "&partNumber=1&uploadId=1",
        "&x-amz-acl=public-read",
    ] {
        let url = format!("{}{added}", good.url);
        let request = ObjectRequest {
            url,
            ..good.clone()
        };
        assert_refused(&surface.object(request).await, added);
    }
    let complete = format!("{version}/complete");
    ana.post(&complete, json!({})).await.expect(409);
    assert_eq!(surface.object(good.clone()).await.status, 200);
    assert_refused(&surface.object(good).await, "a replay");
    ana.post(&complete, json!({})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_42_everything_an_upload_declares_is_bound_on_ministack() {
    assert_bound(&on_ministack().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_42_everything_an_upload_declares_is_bound_on_s3s() {
    let _recording = Recording::start();
    let (surface, _store) = on_s3s().await;
    assert_bound(&surface).await;
}

/// Other bytes than declared are refused by the store, and if it should keep them all the same, as s3s
/// does, they are never served.
async fn assert_other_bytes_are_refused(surface: &AwsSurface) {
    let flipped: Vec<u8> = BYTES.iter().map(|byte| byte ^ 1).collect();
    let longer = [BYTES, b"!"].concat();
    for body in [flipped.as_slice(), &longer, &BYTES[1..], b""] {
        let (ana, version, plan) = declared(surface).await;
        let answer = surface.object(object_request(&plan, body.to_vec())).await;
        assert_refused(&answer, &format!("{} bytes", body.len()));
        for action in ["complete", "download"] {
            ana.post(&format!("{version}/{action}"), json!({}))
                .await
                .expect(409);
        }
        surface.drain().await;
        let shown = ana.get(&version).await.expect(200);
        assert_ne!(shown.body["status"], "available");
        ana.post(&format!("{version}/download"), json!({}))
            .await
            .expect(409);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_44_other_bytes_are_refused_on_ministack() {
    assert_other_bytes_are_refused(&on_ministack().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_44_other_bytes_are_refused_on_s3s() {
    let (surface, _store) = on_s3s().await;
    assert_other_bytes_are_refused(&surface).await;
}

/// One byte more than goes into one request.
const LARGE: usize = 64 * 1024 * 1024 + 1;

/// Sends the parts of an upload and completes it with what they were answered.
async fn assert_uploads_in_parts(surface: &AwsSurface) {
    let ana = Person::new(surface, "ana");
    let project = ana.project(&ana.account().await).await;
    let bytes: Vec<u8> = (0..LARGE).map(|place| (place % 251) as u8).collect();
    let declared = ana
        .declare(&project, "large.bin", &bytes)
        .await
        .expect(201)
        .body;
    let plan = &declared["upload"];
    assert_eq!(plan["kind"], "multipart");
    let first = &plan["parts"][0];
    let signed = query(first["url"].as_str().unwrap(), "X-Amz-SignedHeaders");
    assert_eq!(signed, "content-length;host");
    let short = object_request(first, b"short".to_vec());
    assert_refused(&surface.object(short).await, "a part of another length");
    let answers = ana.follow(plan, &bytes).await;
    let part = |(number, answer): (usize, &Answer)| {
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{text}");
        json!({ "number": number + 1, "etag": answer.header("etag").unwrap() })
    };
    let parts: Vec<Value> = answers.iter().enumerate().map(part).collect();
    let artifact = declared["artifact"]["id"].as_str().unwrap();
    let version = format!("/v1/projects/{project}/artifacts/{artifact}/versions/1");
    let complete = format!("{version}/complete");
    let mut wrong = parts.clone();
    wrong[1]["etag"] = "\"00000000000000000000000000000000\"".into();
    ana.post(&complete, json!({ "parts": wrong }))
        .await
        .expect(409);
    ana.post(&complete, json!({ "parts": parts[1..] }))
        .await
        .expect(400);
    // More than is read while somebody waits: the storage event finishes it.
    ana.post(&complete, json!({ "parts": parts }))
        .await
        .expect(202);
    surface.drain().await;
    let settled = ana.get(&version).await.expect(200);
    assert_eq!(settled.body["status"], "available", "{}", settled.body);
    let download = ana
        .post(&format!("{version}/download"), json!({}))
        .await
        .expect(200)
        .body;
    let step = json!({ "method": "GET", "url": download["url"], "headers": download["headers"] });
    let served = surface.object(object_request(&step, Vec::new())).await;
    assert!(served.body == bytes, "what is served is not what was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_goes_in_parts_on_ministack() {
    assert_uploads_in_parts(&AwsSurface::start().await).await;
}

#[test]
fn a_large_file_goes_in_parts_on_s3s() {
    let reason = "it names a file after each upload and its key, and ours are too long for that";
    suite::skip("s3s", "a_large_file_goes_in_parts", reason);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_completes_its_upload_by_itself() {
    let _recording = Recording::start();
    let surface = AwsSurface::start().await;
    let (ana, version, plan) = declared(&surface).await;
    assert_eq!(
        surface
            .object(object_request(&plan, BYTES.to_vec()))
            .await
            .status,
        200
    );
    let before = ana.get(&version).await.expect(200);
    assert_eq!(before.body["status"], "pending");
    surface.drain().await;
    let after = ana.get(&version).await.expect(200);
    assert_eq!(after.body["status"], "available");
    let events = surface.events().await;
    assert_eq!(
        events
            .iter()
            .filter(|event| event.kind == "wm.version.available")
            .count(),
        1
    );
    ana.post(&format!("{version}/complete"), json!({}))
        .await
        .expect(200);
}
