//! Signed URLs: their purposes, text form and verification.

use form_urlencoded::Serializer;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use wm_core::{
    storage::ObjectPath,
    value::{FileName, Invalid, MediaType, Sha256, Size, Timestamp},
};

use super::UploadId;

/// The path prefix of objects on the server.
pub const FILES: &str = "/files/";

/// Bytes that a URL path must encode (RFC 3986 section 3.3). All others, including `/`, stay as
/// they are, so that the path contains the object key.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The permission that a signed URL carries: one purpose, for one object, until one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUrl {
    pub path: ObjectPath,
    /// The time from which the URL is refused.
    pub expires_at: Timestamp,
    pub purpose: Purpose,
}

/// The purpose of a signed URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Creating the object with exactly these bytes.
    Upload {
        size: Size,
        /// The media type that the client must send.
        media_type: MediaType,
        sha256: Sha256,
    },
    /// Storing one part of a multipart upload. It may be repeated.
    Part {
        upload: UploadId,
        /// Counted from 1.
        number: u16,
        /// In bytes.
        size: u64,
    },
    /// Reading the object as an attachment.
    Download {
        /// The file name of the attachment.
        file: FileName,
        /// The media type of the response.
        media_type: MediaType,
    },
}

impl Purpose {
    /// The method that the URL allows.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::Upload { .. } | Self::Part { .. } => "PUT",
            Self::Download { .. } => "GET",
        }
    }
}

/// The reason why a URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedUrlError {
    /// The path is not that of an object.
    #[error("it does not exist, or you cannot see it")]
    NoObject,
    /// This node did not sign the URL, or the URL was altered.
    #[error("the URL was not issued by this node, or was altered; request a new one")]
    Altered,
    #[error("the URL has expired; request a new one")]
    Expired,
}

/// Signs URLs and verifies its own signatures.
///
/// The signature is HMAC-SHA-256 over the method, the object path and the query as issued. It
/// therefore covers every parameter of the query.
#[derive(Clone)]
pub struct Signer {
    key: Sha256,
}

impl Signer {
    /// A signer with a key derived from the secret of the surface.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self {
            key: Sha256::keyed(secret, &[b"files"]),
        }
    }

    fn signature(&self, method: &str, path: &ObjectPath, query: &str) -> Sha256 {
        let path = path.to_string();
        let parts = [method.as_bytes(), path.as_bytes(), query.as_bytes()];
        Sha256::keyed(self.key.as_bytes(), &parts)
    }

    /// The path and query of a signed URL. It checks no permit, so only [`super`] may call it.
    pub(super) fn write(&self, signed_url: &SignedUrl) -> String {
        let query = query(signed_url);
        let signature = self.signature(signed_url.purpose.method(), &signed_url.path, &query);
        let path = signed_url.path.to_string();
        let path = utf8_percent_encode(&path, ENCODED);
        format!("{FILES}{path}?{query}&signature={signature}")
    }

    /// Verifies a signed URL and parses it. `path` and `query` are as the server received them,
    /// `path` without [`FILES`].
    ///
    /// # Errors
    /// [`SignedUrlError`].
    pub fn read(
        &self,
        method: &str,
        path: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<SignedUrl, SignedUrlError> {
        let path = percent_decode_str(path).decode_utf8();
        let path: ObjectPath = path
            .ok()
            .and_then(|path| path.parse().ok())
            .ok_or(SignedUrlError::NoObject)?;
        let (query, signature) = query
            .rsplit_once("&signature=")
            .ok_or(SignedUrlError::Altered)?;
        let signature: Sha256 = signature.parse().map_err(|_| SignedUrlError::Altered)?;
        if !self.signature(method, &path, query).matches(&signature) {
            return Err(SignedUrlError::Altered);
        }
        let signed_url = parse(path, query).map_err(|_| SignedUrlError::Altered)?;
        if now >= signed_url.expires_at {
            return Err(SignedUrlError::Expired);
        }
        Ok(signed_url)
    }
}

fn query(signed_url: &SignedUrl) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("expires", &signed_url.expires_at.to_string());
    match &signed_url.purpose {
        Purpose::Upload {
            size,
            media_type,
            sha256,
        } => query
            .append_pair("size", &size.bytes().to_string())
            .append_pair("type", media_type.as_str())
            .append_pair("sha256", &sha256.to_string()),
        Purpose::Part {
            upload,
            number,
            size,
        } => query
            .append_pair("upload", upload.as_str())
            .append_pair("part", &number.to_string())
            .append_pair("size", &size.to_string()),
        Purpose::Download { file, media_type } => query
            .append_pair("file", file.as_str())
            .append_pair("type", media_type.as_str()),
    };
    query.finish()
}

/// Parses the output of [`query`]. Call it only for a query with a valid signature.
fn parse(path: ObjectPath, query: &str) -> Result<SignedUrl, Invalid> {
    const WRONG: Invalid = Invalid("must be an unaltered signed URL");
    let find = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let text = |name: &str| find(name).ok_or(WRONG);
    let size = || text("size")?.parse::<u64>().map_err(|_| WRONG);
    let purpose = if let Some(upload) = find("upload") {
        Purpose::Part {
            upload: upload.parse()?,
            number: text("part")?.parse().map_err(|_| WRONG)?,
            size: size()?,
        }
    } else if let Some(file) = find("file") {
        Purpose::Download {
            file: file.parse()?,
            media_type: text("type")?.parse()?,
        }
    } else {
        Purpose::Upload {
            size: size()?.try_into()?,
            media_type: text("type")?.parse()?,
            sha256: text("sha256")?.parse()?,
        }
    };
    Ok(SignedUrl {
        path,
        expires_at: text("expires")?.parse()?,
        purpose,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const PATH: &str = "accounts/acc_01arz3ndektsv4rrffq69g5fav/projects/prj_01arz3ndektsv4rrffq69g5fav01arz3ndektsv4rrffq69g5faw/artifacts/art_01arz3ndektsv4rrffq69g5fav/raw/1/Über uns+1.pdf";
    const NOW: &str = "2026-11-23T09:30:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn purposes() -> Vec<Purpose> {
        let media_type: MediaType = "application/vnd.a+json".parse().unwrap();
        vec![
            Purpose::Upload {
                size: 12.try_into().unwrap(),
                media_type: media_type.clone(),
                sha256: Sha256::of(b"x"),
            },
            Purpose::Part {
                upload: "0123456789abcdef0123456789abcdef".parse().unwrap(),
                number: 7,
                size: 16,
            },
            Purpose::Download {
                file: "Über uns & mehr=1.pdf".parse().unwrap(),
                media_type,
            },
        ]
    }

    fn signed_url(purpose: Purpose) -> SignedUrl {
        SignedUrl {
            path: PATH.parse().unwrap(),
            expires_at: now().after(Duration::from_secs(60)),
            purpose,
        }
    }

    fn read(method: &str, written: &str, now: Timestamp) -> Result<SignedUrl, SignedUrlError> {
        let (path, query) = written.split_once('?').unwrap();
        let path = path.strip_prefix(FILES).unwrap();
        Signer::new(&[7; 32]).read(method, path, query, now)
    }

    #[test]
    fn signed_url_round_trips_for_every_purpose() {
        for purpose in purposes() {
            let signed_url = signed_url(purpose);
            let written = Signer::new(&[7; 32]).write(&signed_url);
            assert_eq!(
                read(signed_url.purpose.method(), &written, now()),
                Ok(signed_url)
            );
        }
    }

    #[test]
    fn signed_url_path_contains_the_object_key() {
        let written = Signer::new(&[7; 32]).write(&signed_url(purposes().remove(0)));
        let key = PATH.replace("Über uns", "%C3%9Cber%20uns");
        assert!(written.starts_with(&format!("/files/{key}?")), "{written}");
    }

    #[test]
    fn case_42_signed_url_refuses_altered_bytes_and_other_methods() {
        for purpose in purposes() {
            let signed_url = signed_url(purpose);
            let written = Signer::new(&[7; 32]).write(&signed_url);
            let method = signed_url.purpose.method();
            for other in ["PUT", "GET", "POST", "DELETE", ""] {
                let same = other == method;
                assert_eq!(read(other, &written, now()).is_ok(), same, "{other}");
            }
            for position in FILES.len()..written.len() {
                let mut bytes = written.clone().into_bytes();
                bytes[position] = if bytes[position] == b'1' { b'2' } else { b'1' };
                let altered = String::from_utf8(bytes).unwrap();
                if altered.contains('?') {
                    assert!(read(method, &altered, now()).is_err(), "{altered}");
                }
            }
            let other_key = Signer::new(&[8; 32]).write(&signed_url);
            assert_eq!(
                read(method, &other_key, now()),
                Err(SignedUrlError::Altered)
            );
        }
    }

    #[test]
    fn signed_url_expires_at_the_exact_moment() {
        let signed_url = signed_url(purposes().remove(0));
        let written = Signer::new(&[7; 32]).write(&signed_url);
        let last = signed_url.expires_at.before(Duration::from_millis(1));
        assert!(read("PUT", &written, last).is_ok());
        assert_eq!(
            read("PUT", &written, signed_url.expires_at),
            Err(SignedUrlError::Expired)
        );
    }

    #[test]
    fn case_40_path_is_decoded_once_and_must_be_canonical() {
        let signer = Signer::new(&[7; 32]);
        for name in [
            "../x",
            "%2e%2e/x",
            "%252e%252e",
            "a%5Cb",
            "a%00b",
            "x/..",
            "cafe%CC%81.pdf",
            "a.",
            "%FF",
        ] {
            let path = PATH.replace("Über uns+1.pdf", name);
            let read = signer.read("PUT", &path, "expires=x&signature=y", now());
            assert_eq!(read, Err(SignedUrlError::NoObject), "{name}");
        }
    }

    proptest! {
        #[test]
        fn signed_url_that_was_not_issued_is_refused(path in "\\PC*", query in "\\PC*", real in any::<bool>()) {
            let path = if real { PATH } else { &path };
            let query = format!("{query}&signature={}", Sha256::of(query.as_bytes()));
            let read = Signer::new(&[7; 32]).read("PUT", path, &query, now());
            prop_assert!(read.is_err());
        }
    }
}
