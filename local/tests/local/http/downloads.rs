//! Downloads from signed URLs.

use super::support::{Running, object, send};
use wm_core::value::Sha256;

async fn stored(bytes: &[u8], file: &str) -> Running {
    let running = Running::echo().await;
    let signed = running.upload(&object(1, file), bytes).await;
    assert_eq!(send(&signed, bytes.to_vec()).await.status(), 201);
    running
}

#[tokio::test]
async fn case_49_every_download_is_an_attachment_with_a_fixed_type() {
    let page = b"<script>alert(1)</script>";
    let running = stored(page, "page.html").await;
    let signed = running.download(&object(1, "page.html"), "text/html").await;
    let answer = send(&signed, "").await;
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"page.html\"; filename*=UTF-8''page.html"
    );
    assert_eq!(header("content-type"), "text/html");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(
        header("content-security-policy"),
        "sandbox; default-src 'none'"
    );
    assert_eq!(header("cache-control"), "private, no-store");
    assert_eq!(header("content-length"), page.len().to_string());
    assert_eq!(answer.bytes().await.unwrap(), page.as_slice());
    let altered = wm_service::ports::SignedRequest {
        url: signed.url.replace("type=text%2Fhtml", "type=text%2Fplain"),
        ..signed
    };
    assert_eq!(send(&altered, "").await.status(), 403);
}

#[tokio::test]
async fn ranges_resume_a_download() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let running = stored(&bytes, "a.bin").await;
    let mut signed = running
        .download(&object(1, "a.bin"), "application/octet-stream")
        .await;
    let tag = format!("\"{}\"", Sha256::of(&bytes));
    for (range, condition, status, expected) in [
        ("bytes=0-99", None, 206, &bytes[..100]),
        ("bytes=150000-", None, 206, &bytes[150_000..]),
        ("bytes=-7", Some(tag.as_str()), 206, &bytes[299_993..]),
        ("bytes=150000-", Some("\"other\""), 200, &bytes[..]),
        ("bytes=0-1,5-6", None, 200, &bytes[..]),
        ("bytes=300000-", None, 416, &[]),
    ] {
        signed.headers = vec![("range".to_owned(), range.to_owned())];
        signed
            .headers
            .extend(condition.map(|tag| ("if-range".to_owned(), tag.to_owned())));
        let answer = send(&signed, "").await;
        assert_eq!(answer.status(), status, "{range}");
        if status == 416 {
            assert_eq!(answer.headers()["content-range"], "bytes */300000");
        }
        assert!(answer.bytes().await.unwrap() == expected, "{range}");
    }
}

#[tokio::test]
async fn head_request_gives_the_size_without_the_bytes() {
    let running = stored(b"12345", "a.bin").await;
    let signed = running
        .download(&object(1, "a.bin"), "application/octet-stream")
        .await;
    let answer = reqwest::Client::new()
        .head(&signed.url)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-length"], "5");
    assert!(answer.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn missing_object_is_not_found() {
    let running = Running::echo().await;
    let signed = running
        .download(&object(1, "a.bin"), "application/octet-stream")
        .await;
    assert_eq!(send(&signed, "").await.status(), 404);
}

#[tokio::test]
async fn case_65_flipped_bit_aborts_the_download() {
    let bytes = vec![9_u8; 300_000];
    let running = stored(&bytes, "a.bin").await;
    let file = running
        .directory
        .path()
        .join("objects")
        .join(object(1, "a.bin").to_string());
    let mut rotten = bytes.clone();
    rotten[1000] ^= 1;
    std::fs::write(&file, rotten).unwrap();
    let signed = running
        .download(&object(1, "a.bin"), "application/octet-stream")
        .await;
    let answer = send(&signed, "").await;
    assert!(answer.bytes().await.is_err());
}
