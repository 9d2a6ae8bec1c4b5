//! Cases D: twelve ways to abuse an upload, and what downloads are served as.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::{Answered, Person, declaration, object_request},
    harness::{Answer, Harness, ObjectRequest},
    suite::{can, skip},
};

/// A declared upload by the owner of a project.
struct Upload<'a, H> {
    ana: Person<'a, H>,
    project: String,
    version: String,
    plan: Value,
}

const BYTES: &[u8] = b"forty-two bytes of text, more or less: yes";

impl<'a, H: Harness> Upload<'a, H> {
    async fn declared(surface: &'a H) -> Self {
        let ana = Person::new(surface, "ana");
        let project = ana.project(&ana.account().await).await;
        Self::by(ana, project).await
    }

    async fn by(ana: Person<'a, H>, project: String) -> Self {
        let declared = ana.declare(&project, "a.txt", BYTES).await.expect(201);
        let artifact = declared.body["artifact"]["id"].as_str().unwrap();
        let version = format!("/v1/projects/{project}/artifacts/{artifact}/versions/1");
        let plan = declared.body["upload"].clone();
        Self {
            ana,
            project,
            version,
            plan,
        }
    }

    fn request(&self, body: &[u8]) -> ObjectRequest {
        object_request(&self.plan, body.to_vec())
    }

    async fn put(&self, body: &[u8]) -> Answer {
        self.ana.harness().object(self.request(body)).await
    }

    async fn complete(&self) -> Answered {
        self.ana
            .post(&format!("{}/complete", self.version), json!({}))
            .await
    }

    /// Asserts that the object is not there: the plan is still usable, and nothing is served.
    async fn assert_awaited(&self) {
        self.complete().await.expect(409).expect_problem("conflict");
        let download = self
            .ana
            .post(&format!("{}/download", self.version), json!({}))
            .await;
        download.expect(409);
    }

    async fn assert_completes(&self) {
        let answer = self.put(BYTES).await;
        assert!(
            answer.status < 300,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        self.complete().await.expect(200);
    }

    async fn downloaded(&self) -> Answer {
        let path = format!("{}/download", self.version);
        let plan = self.ana.post(&path, json!({})).await.expect(200).body;
        let step = json!({ "method": "GET", "url": plan["url"], "headers": plan["headers"] });
        self.ana
            .harness()
            .object(object_request(&step, Vec::new()))
            .await
    }
}

fn assert_refused(answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    assert!(
        (400..500).contains(&answer.status),
        "{} {text}",
        answer.status
    );
}

/// Names that climb, decode, hide or do not fit are refused; composed and decomposed ones are one.
pub async fn case_40_deceptive_names_are_refused<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let project = ana.project(&ana.account().await).await;
    let long = "a".repeat(1024);
    let names = [
        "",
        ".",
        "..",
        "../a",
        "a/b",
        "..\\a",
        "%2e%2e",
        "%252e",
        "a.",
        "a ",
        " a",
        "a\0b",
        "a\nb",
        "\u{202e}txt.exe",
        "a\u{200b}",
        "a?b",
        "a#b",
        &long,
    ];
    for name in names {
        ana.declare(&project, name, b"x")
            .await
            .expect(400)
            .expect_field("name");
    }
    for (sent, kept) in [("e\u{301}.txt", "é.txt"), ("é.txt", "é.txt")] {
        let declared = ana.declare(&project, sent, b"x").await.expect(201);
        assert_eq!(declared.body["artifact"]["name"], kept);
    }
}

/// Another key, method, type or expiry, a cut or added signature: refused, and the plan still works.
pub async fn case_42_an_altered_address_is_refused<H: Harness>(surface: &H) {
    if !can(surface, "case_42", "sign addresses") {
        return;
    }
    let upload = Upload::declared(surface).await;
    let other = Upload::by(upload.ana.clone(), upload.project.clone()).await;
    let good = upload.request(BYTES);
    let (path, query) = good.url.split_once('?').unwrap();
    let other_path = other.plan["url"]
        .as_str()
        .unwrap()
        .split_once('?')
        .unwrap()
        .0
        .to_owned();
    let mut urls = vec![path.to_owned(), format!("{other_path}?{query}")];
    for (position, byte) in query
        .bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_digit())
    {
        let digit = if byte == b'9' { '8' } else { '9' };
        let altered = format!("{}{digit}{}", &query[..position], &query[position + 1..]);
        urls.push(format!("{path}?{altered}"));
    }
    for url in urls {
        assert_refused(
            &surface
                .object(ObjectRequest {
                    url,
                    ..good.clone()
                })
                .await,
        );
    }
    for method in ["GET", "DELETE", "POST"] {
        let request = ObjectRequest {
            method: method.into(),
            ..good.clone()
        };
        assert_refused(&surface.object(request).await);
    }
    let mut typed = good.clone();
    for (name, value) in &mut typed.headers {
        if name == "content-type" {
            *value = "text/html".into();
        }
    }
    assert_ne!(typed.headers, good.headers);
    assert_refused(&surface.object(typed).await);
    upload.assert_awaited().await;
    upload.assert_completes().await;
}

/// No plan outlives its lifetime, and no caller chooses it.
pub async fn case_43_no_address_lives_long<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    let mut body = declaration("b.txt", b"b");
    body["expires_at"] = json!("2999-01-01T00:00:00Z");
    let path = format!("/v1/projects/{}/artifacts", upload.project);
    upload
        .ana
        .post(&path, body)
        .await
        .expect(400)
        .expect_field("expires_at");
    if let Err(reason) = surface.pass(Duration::from_secs(15 * 60)) {
        return skip(surface.name(), "case_43", reason);
    }
    upload
        .complete()
        .await
        .expect(409)
        .expect_problem("conflict");
    let again = upload
        .ana
        .post(&format!("{}/upload", upload.version), json!({}))
        .await;
    again.expect(409);
}

/// Too much, too little, other bytes of the same size: whatever the store says, never available.
pub async fn case_44_other_bytes_than_declared_are_never_served<H: Harness>(surface: &H) {
    let longer = [BYTES, b"!"].concat();
    let flipped: Vec<u8> = BYTES.iter().map(|byte| byte ^ 1).collect();
    for wrong in [longer.as_slice(), &BYTES[1..], &flipped, b""] {
        let upload = Upload::declared(surface).await;
        let answer = upload.put(wrong).await;
        if answer.status < 300 {
            upload
                .complete()
                .await
                .expect(409)
                .expect_problem("upload-mismatch");
            upload
                .complete()
                .await
                .expect(409)
                .expect_problem("upload-mismatch");
        } else {
            upload.assert_awaited().await;
            upload.assert_completes().await;
            continue;
        }
        let download = upload
            .ana
            .post(&format!("{}/download", upload.version), json!({}))
            .await;
        download.expect(409);
    }
    let ana = Person::new(surface, "ana");
    let project = ana.project(&ana.account().await).await;
    ana.upload(&project, "empty.txt", b"").await;
}

/// A late or repeated PUT changes nothing about a completed version.
pub async fn case_45_a_raw_version_is_never_overwritten<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    upload.assert_completes().await;
    for late in [BYTES, b"other", b""] {
        upload.put(late).await;
        let served = upload.downloaded().await;
        assert_eq!((served.status, served.body.as_slice()), (200, BYTES));
    }
    let again = upload
        .ana
        .post(&format!("{}/upload", upload.version), json!({}))
        .await;
    again.expect(409);
}

/// An address is for one object, whose path stands in it, and creates it only.
pub async fn case_46_an_address_creates_one_object<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    let other = Upload::by(upload.ana.clone(), upload.project.clone()).await;
    let account = upload
        .ana
        .get(&format!("/v1/projects/{}", upload.project))
        .await
        .text("account_id");
    let url = upload.plan["url"].as_str().unwrap();
    let artifact = upload.version.split('/').nth(5).unwrap();
    let project = &upload.project;
    let key = format!("accounts/{account}/projects/{project}/artifacts/{artifact}/raw/1/a.txt");
    assert!(url.contains(&key), "{url} lacks {key}");
    upload.assert_completes().await;
    assert_refused(&upload.put(BYTES).await);
    other.assert_awaited().await;
}

/// An upload that nobody completes ends as expired, and bytes that come late are not served.
pub async fn case_47_an_upload_never_completed_expires<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    upload.assert_awaited().await;
    if let Err(reason) = surface.pass(Duration::from_secs(25 * 60)) {
        return skip(surface.name(), "case_47", reason);
    }
    surface.sweep().await;
    let version = upload.ana.get(&upload.version).await.expect(200);
    assert_eq!(version.body["status"], "expired");
    upload.put(BYTES).await;
    upload
        .complete()
        .await
        .expect(409)
        .expect_problem("conflict");
}

/// Markup runs in nobody's browser.
pub async fn case_49_markup_is_served_as_attachment<H: Harness>(surface: &H) {
    if !can(surface, "case_49", "serve as attachment") {
        return;
    }
    let ana = Person::new(surface, "ana");
    let project = ana.project(&ana.account().await).await;
    for (name, media_type) in [("a.html", "text/html"), ("a.svg", "image/svg+xml")] {
        let mut body = declaration(name, b"<script>alert(1)</script>");
        body["media_type"] = json!(media_type);
        let declared = ana
            .post(&format!("/v1/projects/{project}/artifacts"), body)
            .await;
        let declared = declared.expect(201).body;
        let artifact = declared["artifact"]["id"].as_str().unwrap();
        let version = format!("/v1/projects/{project}/artifacts/{artifact}/versions/1");
        let (ana, project) = (ana.clone(), project.clone());
        let upload = Upload {
            ana,
            project,
            version,
            plan: declared["upload"].clone(),
        };
        assert!(upload.put(b"<script>alert(1)</script>").await.status < 300);
        upload.complete().await.expect(200);
        let served = upload.downloaded().await;
        assert_eq!(served.status, 200);
        let disposition = served.header("content-disposition").unwrap_or_default();
        assert!(disposition.starts_with("attachment"), "{disposition}");
    }
}

/// Completing twice, at once or later, makes one version and one journal entry.
pub async fn an_upload_completed_twice_is_completed_once<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    upload.put(BYTES).await;
    let (one, two) = tokio::join!(upload.complete(), upload.complete());
    let (one, two) = (one.expect(200), two.expect(200));
    assert_eq!(one.body, two.body);
    assert_eq!(upload.complete().await.expect(200).body, one.body);
    let journal = upload
        .ana
        .list(&format!("/v1/projects/{}/journal", upload.project))
        .await;
    let available = journal
        .iter()
        .filter(|entry| entry["event"] == "version.available");
    assert_eq!(available.count(), 1, "{journal:?}");
}

/// Someone who may only look does not complete, and someone outside does not see.
pub async fn only_who_may_upload_completes<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    let (ben, eve) = (Person::new(surface, "ben"), Person::new(surface, "eve"));
    let account = upload
        .ana
        .get(&format!("/v1/projects/{}", upload.project))
        .await
        .text("account_id");
    upload.ana.bring(&account, &ben, "guest").await;
    upload
        .ana
        .grant(&upload.project, &ben.id().await, "viewer")
        .await;
    upload.put(BYTES).await;
    for action in ["complete", "upload"] {
        let path = format!("{}/{action}", upload.version);
        eve.post(&path, json!({})).await.expect(404);
        let refused = ben.post(&path, json!({})).await.expect(403);
        assert!(refused.body["missing"].is_array(), "{}", refused.body);
    }
    upload.complete().await.expect(200);
}

/// Between the plan and its completion the uploader lost the right: nothing becomes available.
pub async fn case_38_an_upload_of_someone_revoked_is_not_completed<H: Harness>(surface: &H) {
    let (ana, ben) = (Person::new(surface, "ana"), Person::new(surface, "ben"));
    let account = ana.account().await;
    let project = ana.project(&account).await;
    ana.bring(&account, &ben, "guest").await;
    let grant = ana.grant(&project, &ben.id().await, "contributor").await;
    let upload = Upload::by(ben, project.clone()).await;
    ana.delete(&format!("/v1/projects/{project}/grants/{grant}"))
        .await
        .expect(204);
    upload.put(BYTES).await;
    upload.complete().await.expect(404);
    let complete = format!("{}/complete", upload.version);
    ana.post(&complete, json!({}))
        .await
        .expect(409)
        .expect_problem("conflict");
    let version = ana.get(&upload.version).await.expect(200);
    assert_eq!(version.body["status"], "pending");
}
