//! Cases D: twelve ways to abuse an upload. Each ends with checks of the version's state, of the
//! served bytes and of the further options of an honest client.

use std::time::Duration;

use serde_json::json;
use wm_core::value::Timestamp;
use wm_service::clock::now;

use crate::{
    client::Person,
    harness::{Harness, ObjectRequest, Signing},
    suite::{
        has, skip, supports,
        upload::{BYTES, Upload, assert_refused, assert_taken},
    },
};

/// If the store refuses a request, it stored nothing. The plan stays usable, and only the bytes
/// that it then brings are served.
async fn refused_by_the_store<H: Harness>(upload: &Upload<'_, H>, body: &[u8]) {
    let what = format!("{} bytes", body.len());
    assert_refused(&upload.put(body).await, &what);
    upload.assert_awaited().await;
    upload.assert_completes().await;
}

/// Sends more bytes than declared (case 44).
pub async fn upload_oversize<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    refused_by_the_store(&upload, &[BYTES, b"!"].concat()).await;
}

/// Sends fewer bytes than declared, and none (case 44).
pub async fn upload_short<H: Harness>(surface: &H) {
    for short in [&BYTES[1..], b""] {
        let upload = Upload::declared(surface).await;
        refused_by_the_store(&upload, short).await;
    }
}

/// Sends other bytes of the same size (cases 44 and 48). Only the declared bytes are ever served,
/// in one of two ways. A store that checks the digest refuses the bytes, and the plan stays usable.
/// Blob Storage checks no SHA-256, neither the service nor its emulator: it stores the bytes, the
/// version ends as rejected, the plan is used up, and the client declares a new version.
pub async fn upload_wrong_hash<H: Harness>(surface: &H) {
    let flipped: Vec<u8> = BYTES.iter().map(|byte| byte ^ 1).collect();
    let upload = Upload::declared(surface).await;
    if has(surface, "bind a digest") {
        refused_by_the_store(&upload, &flipped).await;
    } else {
        taken_and_rejected(&upload, &flipped).await;
    }
    upload.assert_can_be_declared_anew(&upload.owner).await;
}

/// Bytes that the store accepts although they were not declared are never served, neither before
/// they are read nor after. They occupy the place of the declared bytes.
async fn taken_and_rejected<H: Harness>(upload: &Upload<'_, H>, body: &[u8]) {
    assert_taken(&upload.put(body).await);
    upload.assert_not_served("pending").await;
    upload.assert_rejected().await;
    assert_refused(&upload.put(BYTES).await, "the declared bytes, too late");
    upload.assert_rejected().await;
}

/// Sends another media type than declared (case 42).
pub async fn upload_wrong_type<H: Harness>(surface: &H) {
    if !supports(surface, "upload_wrong_type", "bind a media type") {
        return;
    }
    let upload = Upload::declared(surface).await;
    for other in ["text/html", ""] {
        let mut typed = upload.request(BYTES);
        for (name, value) in &mut typed.headers {
            if name == "content-type" {
                *value = other.into();
            }
        }
        assert_ne!(typed.headers, upload.request(BYTES).headers);
        assert_refused(&upload.send(typed).await, other);
    }
    upload.assert_awaited().await;
    upload.assert_completes().await;
}

/// Uses the plan of one object for another (cases 42 and 46).
pub async fn upload_other_key<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    let other = Upload::by(upload.owner.clone(), upload.project.clone()).await;
    let account = upload.account().await;
    let (project, artifact) = (&upload.project, upload.version.split('/').nth(5).unwrap());
    let shown = upload.owner.get(&upload.version).await.expect(200);
    let id = shown.text("id");
    let key = format!("accounts/{account}/projects/{project}/artifacts/{artifact}/raw/{id}/a.txt");
    let good = upload.request(BYTES);
    assert!(good.url.contains(&key), "{} lacks {key}", good.url);
    if !supports(surface, "upload_other_key", "sign addresses") {
        return;
    }
    let (path, query) = good.url.split_once('?').unwrap();
    let other_path = other.plan["url"].as_str().unwrap().split('?').next();
    for path in [
        other_path.unwrap(),
        &path.replace(&format!("/raw/{id}/"), "/raw/1/"),
        &path.replace("/a.txt", "/b.txt"),
        &format!("{path}/b"),
    ] {
        let url = format!("{path}?{query}");
        let request = ObjectRequest {
            url,
            ..good.clone()
        };
        assert_refused(&upload.send(request).await, path);
    }
    for upload in [&upload, &other] {
        upload.assert_awaited().await;
        upload.assert_completes().await;
    }
}

/// Bytes that arrive after the version is available change nothing (case 45).
pub async fn upload_late_put<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    upload.assert_completes().await;
    let shown = upload.owner.get(&upload.version).await.expect(200);
    for late in [BYTES, b"other", b""] {
        upload.put(late).await;
        surface.drain().await;
        upload.assert_available().await;
    }
    upload
        .request_action(&upload.owner, "upload")
        .await
        .expect(409);
    let after = upload.owner.get(&upload.version).await.expect(200);
    assert_eq!(after.body, shown.body);
}

/// Bytes that arrive after the upload expired make nothing available (case 47).
pub async fn upload_late_put_after_its_end<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    if let Err(reason) = surface.pass(Duration::from_secs(25 * 60)) {
        return skip(surface.name(), "upload_late_put_after_its_end", reason);
    }
    surface.sweep().await;
    upload.put(BYTES).await;
    surface.drain().await;
    let refused = upload.complete().await.expect(409);
    refused.expect_problem("conflict");
    upload
        .request_action(&upload.owner, "upload")
        .await
        .expect(409);
    upload
        .request_action(&upload.owner, "download")
        .await
        .expect(409);
    upload.assert_status("expired", &upload.owner).await;
    upload.assert_can_be_declared_anew(&upload.owner).await;
}

/// Sends the same request again, before and after completion (case 46).
pub async fn upload_replay<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    assert_taken(&upload.put(BYTES).await);
    assert_refused(&upload.put(BYTES).await, "before completion");
    upload.complete().await.expect(200);
    assert_refused(&upload.put(BYTES).await, "after completion");
    upload.assert_available().await;
    upload.assert_can_be_declared_anew(&upload.owner).await;
}

/// Uses the same URL as signed an hour ago (case 43). The URL as signed now works, so only its age
/// is refused.
pub async fn upload_expired<H: Signing>(surface: &H) {
    const SCENARIO: &str = "upload_expired";
    if !supports(surface, SCENARIO, "expire addresses") {
        return;
    }
    let now = now();
    let upload = Upload::declared(surface).await;
    let signed = async |time: Timestamp| {
        let signed = surface.signed_at(&upload.plan, BYTES.len(), time).await;
        signed.map(|request| ObjectRequest {
            body: BYTES.to_vec(),
            ..request
        })
    };
    let old = match signed(now.before(Duration::from_hours(1))).await {
        Ok(request) => request,
        Err(reason) => return skip(surface.name(), SCENARIO, reason),
    };
    assert_refused(&upload.send(old.clone()).await, "an hour old");
    upload.assert_awaited().await;
    let fresh = signed(now).await.unwrap();
    assert_ne!(fresh.url, old.url);
    assert_taken(&upload.send(fresh).await);
    upload.complete().await.expect(200);
    assert_refused(&upload.send(old).await, "an hour old, after the upload");
    upload.assert_available().await;
}

/// The uploader loses the right between plan and completion. No completion makes the version
/// available, neither by another caller nor by an event of the store (case 38). After the right is
/// granted again, completion succeeds.
pub async fn upload_revoked_between_issue_and_completion<H: Harness>(surface: &H) {
    let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
    let account = ana.account().await;
    let project = ana.project(&account).await;
    ana.bring(&account, &ben, "guest").await;
    let user = ben.id().await;
    let grant = ana.grant(&project, &user, "contributor").await;
    let upload = Upload::by(ben, project.clone()).await;
    let grant = format!("/v1/projects/{project}/grants/{grant}");
    ana.delete(&grant).await.expect(204);
    assert_taken(&upload.put(BYTES).await);
    surface.drain().await;
    upload.complete().await.expect(404);
    let refused = upload.request_action(&ana, "complete").await.expect(409);
    refused.expect_problem("conflict");
    upload.request_action(&ana, "download").await.expect(409);
    upload.assert_status("pending", &ana).await;
    ana.grant(&project, &user, "contributor").await;
    upload.complete().await.expect(200);
    upload.assert_available().await;
    upload.assert_can_be_declared_anew(&ana).await;
}

/// Completing twice, at once or later, makes one version and one journal entry.
pub async fn upload_completed_twice<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    assert_taken(&upload.put(BYTES).await);
    let (one, two) = tokio::join!(upload.complete(), upload.complete());
    let (one, two) = (one.expect(200), two.expect(200));
    assert_eq!(one.body, two.body);
    assert_eq!(upload.complete().await.expect(200).body, one.body);
    let journal = format!("/v1/projects/{}/journal", upload.project);
    let journal = upload.owner.list(&journal).await;
    let available = journal
        .iter()
        .filter(|entry| entry["event"] == "version.available");
    assert_eq!(available.count(), 1, "{journal:?}");
    upload.assert_available().await;
    upload.assert_can_be_declared_anew(&upload.owner).await;
}

/// A viewer cannot complete an upload, and an outsider does not see it. Any permitted uploader may
/// complete it, and it keeps its creator.
pub async fn upload_completed_by_another<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    let person = |name| Person::new(surface, name);
    let (ben, cleo, eve) = (person("ben"), person("cleo"), person("eve"));
    let account = upload.account().await;
    for (other, role) in [(&ben, "viewer"), (&cleo, "contributor")] {
        upload.owner.bring(&account, other, "guest").await;
        let id = other.id().await;
        upload.owner.grant(&upload.project, &id, role).await;
    }
    for bytes_are_there in [false, true] {
        if bytes_are_there {
            upload.assert_awaited().await;
            assert_taken(&upload.put(BYTES).await);
        }
        for action in ["complete", "upload"] {
            let hidden = upload.request_action(&eve, action).await.expect(404);
            hidden.expect_problem("not-found");
            let refused = upload.request_action(&ben, action).await.expect(403);
            assert_eq!(refused.body["missing"], json!(["version.create"]));
        }
    }
    let completed = upload.request_action(&cleo, "complete").await.expect(200);
    assert_eq!(completed.body["uploaded_by"], upload.owner.id().await);
    upload.assert_available().await;
    upload.assert_can_be_declared_anew(&cleo).await;
}

/// The positions of the digits in a query, and whether each belongs to the name of an algorithm.
fn digits(query: &str) -> impl Iterator<Item = (usize, bool)> {
    let named = query.find("Algorithm=").map(|start| {
        let length = query[start..].find('&').unwrap_or(query.len() - start);
        start..start + length
    });
    let bytes = query.bytes().enumerate();
    let digits = bytes.filter(|(_, byte)| byte.is_ascii_digit());
    digits.map(move |(place, _)| {
        let is_of_it = named.as_ref().is_some_and(|named| named.contains(&place));
        (place, is_of_it)
    })
}

/// The query with another digit at one position.
fn with_another_digit(query: &str, place: usize) -> String {
    let digit = if query.as_bytes()[place] == b'9' {
        '8'
    } else {
        '9'
    };
    format!("{}{digit}{}", &query[..place], &query[place + 1..])
}

/// Asserts that the store refuses all altered URLs of an upload, and that the plan still works.
async fn assert_none_is_taken<H: Harness>(upload: &Upload<'_, H>, urls: Vec<String>) {
    assert!(!urls.is_empty());
    let good = upload.request(BYTES);
    for url in urls {
        let what = url.clone();
        assert_ne!(url, good.url);
        let request = ObjectRequest {
            url,
            ..good.clone()
        };
        assert_refused(&upload.send(request).await, &what);
    }
    upload.assert_awaited().await;
    upload.assert_completes().await;
}

/// Uses another method, removes or adds a parameter, and changes each digit. All are refused, and
/// the plan still works (case 42).
pub async fn upload_tampered_url<H: Harness>(surface: &H) {
    if !supports(surface, "upload_tampered_url", "sign addresses") {
        return;
    }
    let upload = Upload::declared(surface).await;
    let good = upload.request(BYTES);
    for method in ["GET", "DELETE", "POST"] {
        let request = ObjectRequest {
            method: method.into(),
            ..good.clone()
        };
        assert_refused(&upload.send(request).await, method);
    }
    let (path, query) = good.url.split_once('?').unwrap();
    let cut = &query[..query.len() - 8];
    // A malformed escape at the end is another fault than a wrong signature.
    let escape = cut.rfind('%').filter(|start| start + 3 > cut.len());
    let cut = &cut[..escape.unwrap_or(cut.len())];
    let mut urls = vec![path.to_owned(), format!("{path}?{cut}")];
    let others = digits(query).filter(|(_, is_of_algorithm)| !is_of_algorithm);
    let altered = others.map(|(place, _)| with_another_digit(query, place));
    urls.extend(altered.map(|query| format!("{path}?{query}")));
    assert_none_is_taken(&upload, urls).await;
}

/// Uses URLs with an empty signature or another algorithm. All are refused, and the plan still
/// works (case 42).
pub async fn upload_unsigned_url<H: Harness>(surface: &H) {
    const SCENARIO: &str = "upload_unsigned_url";
    if !supports(surface, SCENARIO, "sign addresses")
        || !supports(
            surface,
            SCENARIO,
            "check an algorithm and an empty signature",
        )
    {
        return;
    }
    let upload = Upload::declared(surface).await;
    let good = upload.request(BYTES);
    let (path, query) = good.url.split_once('?').unwrap();
    let (unsigned, _) = query.rsplit_once('=').unwrap();
    let mut queries = vec![format!("{unsigned}=")];
    let named = digits(query).filter(|(_, is_of_algorithm)| *is_of_algorithm);
    queries.extend(named.map(|(place, _)| with_another_digit(query, place)));
    let urls = queries.iter().map(|query| format!("{path}?{query}"));
    assert_none_is_taken(&upload, urls.collect()).await;
}
