//! The text of a mail as a node files it.

/// The text, without the headers, of a message in `7bit` or `quoted-printable` (RFC 2045 section 6.7).
pub(super) fn plain(message: &str) -> String {
    let message = message.replace("\r\n", "\n");
    let (headers, body) = message.split_once("\n\n").unwrap_or((&message, ""));
    let encoded = headers.to_ascii_lowercase().contains("quoted-printable");
    if !encoded {
        return body.to_owned();
    }
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, more @ ..] = rest {
        let digits = more.get(..2).filter(|_| *first == b'=');
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_read() {
        let plainly = "To: a\r\nContent-Transfer-Encoding: 7bit\r\n\r\na=b\r\nc";
        assert_eq!(plain(plainly), "a=b\nc");
        let quoted = "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc=C3=A4";
        assert_eq!(plain(quoted), "a=bcä");
    }
}
