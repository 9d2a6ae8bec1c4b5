//! Requests signed with the resource's key
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

/// Signs each attempt anew: the service takes no signature older than a few minutes.
pub(super) struct SignedWithKey(hmac::Key);

impl fmt::Debug for SignedWithKey {
    /// Without the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SignedWithKey")
    }
}

impl SignedWithKey {
    /// With this key, as the resource shows it: in base64.
    pub(super) fn new(key: &str) -> Option<Self> {
        let key = STANDARD.decode(key).ok()?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// What proves that this is asked at this time by whoever has the key.
    fn sign(&self, method: &str, url: &Url, date: &str, body: &[u8]) -> Signed {
        let digest = digest::digest(&digest::SHA256, body);
        let content = STANDARD.encode(digest.as_ref());
        let path = url.path();
        let target = match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let host = url.host_str().unwrap_or_default();
        // As the connection will name it.
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

/// The headers that prove it.
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
            || azure_core::Error::with_message(ErrorKind::Other, "nothing sends requests");
        let (first, rest) = next.split_first().ok_or_else(missing)?;
        first.send(context, request, rest).await
    }
}
