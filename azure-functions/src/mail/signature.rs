//! Requests signed with the key of the resource
//! (<https://learn.microsoft.com/rest/api/communication/authentication#access-key-authentication>).

use std::{fmt, sync::Arc};

use aws_lc_rs::{digest, hmac};
use azure_core::{
    error::ErrorKind,
    http::{
        Context, Request, Url,
        headers::{AUTHORIZATION, HeaderName},
        policies::{Policy, PolicyResult},
    },
    time::{OffsetDateTime, to_rfc7231},
};
use base64::{Engine, engine::general_purpose::STANDARD};

const DATE: HeaderName = HeaderName::from_static("x-ms-date");
const CONTENT: HeaderName = HeaderName::from_static("x-ms-content-sha256");

/// Signs each attempt separately, because the service refuses signatures older than a few minutes.
pub(super) struct SignedWithKey(hmac::Key);

impl fmt::Debug for SignedWithKey {
    /// Omits the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SignedWithKey")
    }
}

impl SignedWithKey {
    /// The key in base64, as the resource shows it.
    pub(super) fn new(key: &str) -> Option<Self> {
        let key = STANDARD.decode(key).ok()?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// The signature of a request at this time.
    fn sign(&self, method: &str, url: &Url, date: &str, body: &[u8]) -> Signed {
        let digest = digest::digest(&digest::SHA256, body);
        let content = STANDARD.encode(digest.as_ref());
        let path = url.path();
        let target = match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let host = url.host_str().unwrap_or_default();
        // The host as the connection sends it.
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let text = format!("{method}\n{target}\n{date};{host};{content}");
        let signature = STANDARD.encode(hmac::sign(&self.0, text.as_bytes()).as_ref());
        let authorization = format!(
            "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
        );
        Signed {
            content,
            authorization,
        }
    }
}

/// The signed headers.
#[derive(Debug, PartialEq, Eq)]
struct Signed {
    content: String,
    authorization: String,
}

#[async_trait::async_trait]
impl Policy for SignedWithKey {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let date = to_rfc7231(&OffsetDateTime::now_utc());
        let body = azure_core::Bytes::from(request.body());
        let method = request.method();
        let Signed {
            content,
            authorization,
        } = self.sign(method.as_ref(), request.url(), &date, &body);
        request.insert_header(DATE, date);
        request.insert_header(CONTENT, content);
        request.insert_header(AUTHORIZATION, authorization);
        let missing =
            || azure_core::Error::with_message(ErrorKind::Other, "the pipeline has no transport");
        let (first, rest) = next.split_first().ok_or_else(missing)?;
        first.send(context, request, rest).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The request of the official client (`tests/tools/azure-oracle`), signed with this key.
    const OFFICIAL: &str = include_str!("../../../tests/goldens/azure-clients.json");
    const KEY: &str = "c3RhbmQtaW4ga2V5IG9mIGEgQ29tbXVuaWNhdGlvbiBTZXJ2aWNlcw==";
    const URL: &str =
        "https://wm.unitedstates.communication.azure.com/emails:send?api-version=2025-09-01";

    #[test]
    fn signature_equals_that_of_the_official_client() {
        let golden: Value = serde_json::from_str(OFFICIAL).unwrap();
        let official = &golden["mail-with-key"];
        let header = |name: &str| official["headers"][name].as_str().unwrap();
        // The body as the official client writes it, with unsorted fields.
        let body = concat!(
            r#"{"senderAddress":"DoNotReply@mail.example.com","content":{"subject":"You are invited to Grüße","#,
            r#""plainText":"Open this link:\n\nhttps://wm.example.com/?token=1\n"},"recipients":{"to":[{"#,
            r#""address":"ana@example.com"}]},"userEngagementTrackingDisabled":true}"#,
        );
        let policy = SignedWithKey::new(KEY).unwrap();
        let url = Url::parse(URL).unwrap();
        let signed = policy.sign("POST", &url, header("x-ms-date"), body.as_bytes());
        assert_eq!(signed.content, header("x-ms-content-sha256"));
        assert_eq!(signed.authorization, header("authorization"));
    }

    #[test]
    fn signed_host_contains_a_non_default_port() {
        let policy = SignedWithKey::new(KEY).unwrap();
        let sign = |url: &str| policy.sign("GET", &Url::parse(url).unwrap(), "now", b"");
        assert_ne!(sign("https://a:7/b"), sign("https://a/b"));
        assert_eq!(sign("https://a:443/b"), sign("https://a/b"));
    }

    #[test]
    fn debug_output_hides_the_key() {
        let policy = SignedWithKey::new(KEY).unwrap();
        assert_eq!(format!("{policy:?}"), "SignedWithKey");
        assert!(SignedWithKey::new("no base64").is_none());
    }
}
