//! Downloads: an object, or one range of it, as an attachment. Memory use is constant.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use warp::{
    Reply,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    reply::Response as HttpResponse,
};
use wm_core::{
    operation::{Problem, Stat},
    storage::ObjectPath,
    value::{FileName, MediaType, Sha256, digest::Hasher},
};

use super::files::failed;
use crate::{
    artifacts::{CHUNK, ObjectStore},
    blocking::blocking,
};

/// Headers that make uploaded content harmless in a browser. It is saved, and never shown, executed
/// or cached.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    ),
    (
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    ),
    (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
];

/// The part of an object that a client requests.
#[derive(Debug, PartialEq, Eq)]
enum RequestedRange {
    Whole,
    Part(Range<u64>),
    Nothing,
}

/// Answers with the object as an attachment with this name and media type.
pub(super) async fn download(
    store: &Arc<ObjectStore>,
    path: &ObjectPath,
    file: &FileName,
    media_type: &MediaType,
    headers: &HeaderMap,
) -> Result<HttpResponse, Problem> {
    let (store, path) = (Arc::clone(store), path.clone());
    let opened = blocking(move || store.open_object(&path)).await;
    let (bytes, stat) = opened.map_err(failed)?.ok_or_else(Problem::not_found)?;
    let tag = stat.sha256.map(|sha256| format!("\"{sha256}\""));
    let mut response = answer(
        bytes,
        &stat,
        requested_range(headers, stat.size, tag.as_deref()),
    );
    let described = [
        (header::CONTENT_TYPE, Some(media_type.to_string())),
        (header::CONTENT_DISPOSITION, Some(file.attachment())),
        (header::ETAG, tag),
    ];
    let sent = response.headers_mut();
    sent.extend(SECURITY_HEADERS);
    for (name, value) in described {
        sent.extend(value.and_then(|value| Some((name, HeaderValue::try_from(value).ok()?))));
    }
    Ok(response)
}

fn answer(file: File, stat: &Stat, wanted: RequestedRange) -> HttpResponse {
    let size = stat.size;
    // The digest covers the whole object, so only a complete answer is verified.
    let (status, range, sha256, served) = match wanted {
        RequestedRange::Whole => (StatusCode::OK, 0..size, stat.sha256, None),
        RequestedRange::Part(part) => {
            let served = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            (StatusCode::PARTIAL_CONTENT, part, None, Some(served))
        }
        RequestedRange::Nothing => {
            let served = format!("bytes */{size}");
            (StatusCode::RANGE_NOT_SATISFIABLE, 0..0, None, Some(served))
        }
    };
    let length = HeaderValue::from(range.end - range.start);
    let mut response = warp::reply::stream(stream_range(file, range, sha256)).into_response();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length);
    let served = served.and_then(|served| HeaderValue::try_from(served).ok());
    headers.extend(served.map(|served| (header::CONTENT_RANGE, served)));
    response
}

/// One range is served. Several ranges and invalid ranges are ignored (RFC 9110 section 14.2).
fn requested_range(headers: &HeaderMap, size: u64, tag: Option<&str>) -> RequestedRange {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|asked| Some(asked) != tag) {
        return RequestedRange::Whole;
    }
    text(header::RANGE)
        .and_then(|range| parse_range(range, size))
        .unwrap_or(RequestedRange::Whole)
}

fn parse_range(range: &str, size: u64) -> Option<RequestedRange> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| match text {
        "" => Some(None),
        digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Some(Some(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    let part = match (number(first)?, number(last)?) {
        (Some(first), Some(last)) if last < first => return None,
        (Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        (Some(first), None) => first..size,
        (None, Some(suffix)) => size.saturating_sub(suffix)..size,
        (None, None) => return None,
    };
    Some(if part.is_empty() {
        RequestedRange::Nothing
    } else {
        RequestedRange::Part(part)
    })
}

/// The bytes of a range, in chunks. If the digest of the whole object is given, the last chunk is
/// sent only if the digest matches. After corruption on the disk, the connection ends instead.
fn stream_range(
    file: File,
    range: Range<u64>,
    sha256: Option<Sha256>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    let reader = Reader {
        file,
        range,
        sha256,
        hasher: Hasher::default(),
    };
    stream::try_unfold(reader, |mut reader| async move {
        if reader.range.is_empty() {
            return Ok(None);
        }
        blocking(move || {
            let chunk = reader.next()?;
            Ok(Some((chunk, reader)))
        })
        .await
    })
}

struct Reader {
    file: File,
    /// The bytes that are not sent yet.
    range: Range<u64>,
    sha256: Option<Sha256>,
    hasher: Hasher,
}

impl Reader {
    fn next(&mut self) -> io::Result<Bytes> {
        let remaining = self.range.end - self.range.start;
        let length = usize::try_from(remaining).map_or(CHUNK, |length| length.min(CHUNK));
        let mut chunk = vec![0; length];
        self.file.seek(SeekFrom::Start(self.range.start))?;
        self.file.read_exact(&mut chunk)?;
        self.range.start += length as u64;
        if let Some(sha256) = self.sha256 {
            self.hasher.update(&chunk);
            if self.range.is_empty() && self.hasher.clone().finish() != sha256 {
                tracing::error!(%sha256, "an object is damaged; restore it from a backup");
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(chunk.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_those_of_rfc_9110() {
        for (text, expected) in [
            ("bytes=0-0", Some(RequestedRange::Part(0..1))),
            ("bytes=2-4", Some(RequestedRange::Part(2..5))),
            ("bytes=2-", Some(RequestedRange::Part(2..10))),
            (
                "bytes=2-99999999999999999999999",
                Some(RequestedRange::Part(2..10)),
            ),
            ("bytes=-3", Some(RequestedRange::Part(7..10))),
            ("bytes=-30", Some(RequestedRange::Part(0..10))),
            ("bytes=-0", Some(RequestedRange::Nothing)),
            ("bytes=10-", Some(RequestedRange::Nothing)),
            ("bytes=4-2", None),
            ("bytes=-", None),
            ("bytes=0-1,3-4", None),
            ("bytes=+1-2", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(parse_range(text, 10), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn served_range_lies_within_the_object(range in "bytes=[0-9]{0,21}-[0-9]{0,21}|\\PC*", size in 0..1000_u64) {
            if let Some(RequestedRange::Part(part)) = parse_range(&range, size) {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
