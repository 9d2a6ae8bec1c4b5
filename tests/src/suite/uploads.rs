//! Cases D: file names, expiry of uploads, and headers of downloads. The attacks on uploads are in
//! [`super::attacks`].

use std::time::Duration;

use serde_json::json;

use crate::{
    client::{Person, declaration},
    harness::Harness,
    suite::{skip, supports, upload::Upload},
};

/// Names with path traversal, encodings, hidden characters or excessive length are refused.
/// Composed and decomposed Unicode forms are the same name.
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

/// No plan outlives its lifetime, and no caller chooses it.
pub async fn case_43_signed_urls_expire_soon<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    let mut body = declaration("b.txt", b"b");
    body["expires_at"] = json!("2999-01-01T00:00:00Z");
    let path = format!("/v1/projects/{}/artifacts", upload.project);
    let refused = upload.owner.post(&path, body).await.expect(400);
    refused.expect_field("expires_at");
    if let Err(reason) = surface.pass(Duration::from_secs(15 * 60)) {
        return skip(surface.name(), "case_43", reason);
    }
    let late = upload.complete().await.expect(409);
    late.expect_problem("conflict");
    upload
        .request_action(&upload.owner, "upload")
        .await
        .expect(409);
}

pub async fn case_44_empty_file_is_valid<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let project = ana.project(&ana.account().await).await;
    ana.upload(&project, "empty.txt", b"").await;
}

/// An upload that is never completed expires.
pub async fn case_47_uncompleted_upload_expires<H: Harness>(surface: &H) {
    let upload = Upload::declared(surface).await;
    upload.assert_awaited().await;
    if let Err(reason) = surface.pass(Duration::from_secs(25 * 60)) {
        return skip(surface.name(), "case_47", reason);
    }
    surface.sweep().await;
    upload.assert_status("expired", &upload.owner).await;
    let late = upload.complete().await.expect(409);
    late.expect_problem("conflict");
}

/// No browser renders stored markup.
pub async fn case_49_markup_is_served_as_attachment<H: Harness>(surface: &H) {
    if !supports(surface, "case_49", "serve as attachment") {
        return;
    }
    let ana = Person::new(surface, "ana");
    let project = ana.project(&ana.account().await).await;
    for (name, media_type) in [("a.html", "text/html"), ("a.svg", "image/svg+xml")] {
        let mut body = declaration(name, b"<script>alert(1)</script>");
        body["media_type"] = json!(media_type);
        let upload = Upload::of(ana.clone(), project.clone(), body).await;
        assert!(upload.put(b"<script>alert(1)</script>").await.status < 300);
        upload.complete().await.expect(200);
        let served = upload.downloaded().await;
        assert_eq!(served.status, 200);
        let disposition = served.header("content-disposition").unwrap_or_default();
        assert!(disposition.starts_with("attachment"), "{disposition}");
    }
}
