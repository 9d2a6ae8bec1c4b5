//! Reads mails from the maildir of a node.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use regex::{Captures, Regex};

/// An encoded word of a header in base64 (RFC 2047 section 2), with the space before the next one.
static ENCODED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)=\?utf-8\?b\?([^?]*)\?=(?:\s+(=\?))?").unwrap());

/// The subject and the body text of a message in `7bit` or `quoted-printable` (RFC 2045 section
/// 6.7).
pub(super) fn read(message: &str) -> (String, String) {
    let message = message.replace("\r\n", "\n");
    let (headers, body) = message.split_once("\n\n").unwrap_or((&message, ""));
    // Folded lines are one line (RFC 5322 section 2.2.3).
    let headers = headers.replace("\n ", " ").replace("\n\t", " ");
    let subject = headers
        .lines()
        .find_map(|line| line.strip_prefix("Subject: "));
    let quoted = headers.to_ascii_lowercase().contains("quoted-printable");
    let text = if quoted {
        unquoted(body)
    } else {
        body.to_owned()
    };
    (decoded(subject.unwrap_or_default()), text)
}

fn decoded(header: &str) -> String {
    let mut header = header.to_owned();
    while ENCODED.is_match(&header) {
        let word = |found: &Captures<'_>| {
            let bytes = BASE64_STANDARD.decode(&found[1]).unwrap_or_default();
            let next = found.get(2).map_or("", |next| next.as_str());
            format!("{}{next}", String::from_utf8_lossy(&bytes))
        };
        header = ENCODED.replace(&header, word).into_owned();
    }
    header
}

fn unquoted(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, more @ ..] = rest {
        let digits = more.get(..2).filter(|_| *first == b'=');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        (rest, _) = match byte {
            Some(byte) => (&more[2..], bytes.push(byte)),
            None => (more, bytes.push(*first)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mail_encodings_are_decoded() {
        let plainly = "Subject: a b\r\nContent-Transfer-Encoding: 7bit\r\n\r\na=b\r\nc";
        assert_eq!(read(plainly), ("a b".into(), "a=b\nc".into()));
        let quoted = "Content-Transfer-Encoding: quoted-printable\r\nSubject: x =?utf-8?b?w4Q=?=\r\n \
            =?utf-8?b?w5Y=?= y\r\n\r\na=3Db=\r\nc=C3=A4";
        assert_eq!(read(quoted), ("x ÄÖ y".into(), "a=bcä".into()));
    }
}
