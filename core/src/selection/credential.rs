//! Detection of texts that look like a credential, so that no credential is stored in a file of
//! names.

use crate::catalog::{ACCESS_KEY_STARTS, CREDENTIAL_MARKS};

/// The minimum length of a text without words that counts as a key.
const RANDOM_LENGTH: usize = 32;

/// The kind of credential that a text looks like.
pub(super) fn looks_like(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let marked = CREDENTIAL_MARKS
        .iter()
        .find(|(mark, _)| lower.contains(mark))
        .map(|(_, kind)| *kind);
    marked
        .or_else(|| has_user_information(text).then_some("a URL with a password"))
        .or_else(|| text.split(|character| !in_token(character)).find_map(token))
}

/// Matches `scheme://user:password@host`.
fn has_user_information(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let authority = text
            .get(at + 3..)
            .and_then(|rest| rest.split(['/', '?', '#', ' ']).next());
        authority
            .and_then(|authority| authority.split_once('@'))
            .is_some_and(|(user, _)| user.contains(':'))
    })
}

/// Characters of base64, base64url, hexadecimal and dotted tokens.
fn in_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+/=_-.~".contains(character)
}

fn token(text: &str) -> Option<&'static str> {
    // `eyJ` is the beginning of a JSON object in base64, with which JSON Web Tokens begin.
    if text.match_indices("eyJ").any(|(at, _)| {
        let rest = text.get(at..).unwrap_or_default();
        rest.split('.').filter(|part| part.len() >= 8).count() >= 2
    }) {
        return Some("a token");
    }
    let is_access_key = |start: &str| {
        text.match_indices(start).any(|(at, _)| {
            let rest = text.get(at + start.len()..).unwrap_or_default();
            let key = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            rest.bytes().take_while(|byte| key(byte)).count() >= 16
        })
    };
    if ACCESS_KEY_STARTS.iter().any(|start| is_access_key(start)) {
        return Some("an access key");
    }
    let long = text.len() >= RANDOM_LENGTH;
    (long && (is_hexadecimal(text) || looks_random(text))).then_some("a key or secret")
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Whether letters and digits alternate as in random text. In base64 of random bytes, about three
/// of five neighbouring pairs mix them; in words and paths, one of six.
fn looks_random(text: &str) -> bool {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => Some('a'),
        b'A'..=b'Z' => Some('A'),
        b'0'..=b'9' => Some('0'),
        _ => None,
    };
    let kinds = || text.bytes().map(kind);
    let all = ['a', 'A', '0'].map(Some);
    let neighbours = kinds().zip(kinds().skip(1));
    let changes = neighbours.filter(|(a, b)| a.is_some() && b.is_some() && a != b);
    all.iter().all(|wanted| kinds().any(|kind| kind == *wanted)) && changes.count() * 3 > text.len()
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use super::*;

    #[test]
    fn credentials_are_recognised_by_their_shape() {
        // Assembled at run time, so that this file contains no credential.
        let random = "wJalrXUtnF9EMI/K7MDENG+bPxRfiCY9zz3Kq7Yw";
        let texts: [String; 10] = [
            format!("AK{}IOSFODNN7EXAMPLE1", "IA"),
            random.into(),
            format!("AccountName=x;Account{}={random}==", "Key"),
            format!("https://x.test/c?sv=2024&{}=abc", "sig"),
            format!(
                "ey{}.ey{}.c2lnbmF0dXJl",
                "JhbGciOiJSUzI1NiJ9", "JzdWIiOiJhIn0"
            ),
            format!("-----{} PRIVATE KEY-----", "BEGIN"),
            "9f86d081884c7d659a2feaa0c55ad015".into(),
            format!("amqps://ana:{}@host/x", "secret"),
            format!("{} abc", "Bearer"),
            format!("Server=db;{}=hunter2", "Password"),
        ];
        for text in &texts {
            assert!(looks_like(text).is_some(), "{text}");
        }
    }

    #[test]
    fn names_are_not_taken_for_credentials() {
        for text in [
            "workspace-management-dev-documents",
            "workspacemanagedevdocs",
            "/Users/Ana/Projects2026/Workspace/Data1/objects",
            "C:\\Users\\Ana\\Workspace Management\\.wm-data\\objects",
            "Event Grid + Azure Communication Services Email",
            "https://ana@example.com/x",
            "a-very-long-prefix-a-very-long-prefix-a-very-3fa9c1-production",
        ] {
            assert_eq!(looks_like(text), None, "{text}");
        }
    }
}
