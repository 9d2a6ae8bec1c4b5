//! File types by name.

/// Media types by extension.
const MEDIA_TYPES: &[(&str, &str)] = &[
    ("avif", "image/avif"),
    ("css", "text/css; charset=utf-8"),
    ("gif", "image/gif"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xml", "application/xml"),
];
/// The media type of unknown files.
const UNKNOWN: &str = "application/octet-stream";
/// The minimum length of a digest in a file name.
const SHORTEST_DIGEST: usize = 8;

/// The media type for this file name.
pub(super) fn media_type(key: &str) -> &'static str {
    let ending = key
        .rsplit('/')
        .next()
        .and_then(|name| name.rsplit_once('.'));
    let ending = ending.map(|(_, ending)| ending.to_ascii_lowercase());
    let known = MEDIA_TYPES
        .iter()
        .find(|(known, _)| ending.as_deref() == Some(known));
    known.map_or(UNKNOWN, |(_, media_type)| media_type)
}

/// Whether the name changes with the bytes: the name of an asset ends in a digest, as in
/// `assets/app-B3xk9Q2z.js`. Words and dates are not digests. In case of doubt, the browser
/// revalidates.
pub(super) fn is_hashed(key: &str) -> bool {
    let Some((folders, name)) = key.rsplit_once('/') else {
        return false;
    };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // A source map has the name of its file.
    let stem = stem
        .strip_suffix(".js")
        .or(stem.strip_suffix(".css"))
        .unwrap_or(stem);
    let digest = stem.rsplit(['-', '.']).next().unwrap_or_default();
    let has = |kind: fn(&u8) -> bool| digest.bytes().any(|byte| kind(&byte));
    let mixed = has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase);
    folders.split('/').any(|folder| folder == "assets")
        && digest.len() < stem.len()
        && digest.len() >= SHORTEST_DIGEST
        && digest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && has(u8::is_ascii_lowercase)
        && mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_follow_the_extension() {
        for (key, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/B.JS", "text/javascript; charset=utf-8"),
            ("a.b/c", UNKNOWN),
            ("x.exe", UNKNOWN),
            ("font.woff2", "font/woff2"),
        ] {
            assert_eq!(media_type(key), expected, "{key}");
        }
    }

    #[test]
    fn file_is_immutable_only_with_a_digest_in_its_name() {
        for key in [
            "assets/app-B3xk9Q2z.js",
            "x/assets/style.9f86d081.css",
            "assets/app-B3xk9Q2z.js.map",
        ] {
            assert!(is_hashed(key), "{key}");
        }
        for key in [
            "index.html",
            "app-B3xk9Q2z.js",
            "assets/workspace-management.js",
            "assets/report-20260101.pdf",
            "assets/B3xk9Q2z.js",
            "assets/logo-2x.png",
            "other/app-B3xk9Q2z.js",
        ] {
            assert!(!is_hashed(key), "{key}");
        }
    }
}
