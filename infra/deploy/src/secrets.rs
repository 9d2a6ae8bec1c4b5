//! Detection of secrets in files, by name and by content.
//!
//! Sites and source code mention passwords and tokens without containing any. A text counts as a
//! secret only if it has the form of a credential with a value.

use std::collections::BTreeMap;

use wm_core::catalog::{ACCESS_KEY_STARTS, CREDENTIAL_MARKS};

/// Extensions of files that contain keys or the state of tools.
const ENDINGS: &[&str] = &[
    "jks", "kdbx", "key", "keystore", "p12", "pem", "pfx", "ppk", "tfstate",
];
/// Names of files that contain credentials, with any extension.
const NAMES: &[&str] = &["credentials", "id_ecdsa", "id_ed25519", "id_rsa", "secrets"];
/// The extension of source code, which may mention credentials.
const SOURCE: &str = "rs";
/// The number of characters after the prefix of an access key id.
const ACCESS_KEY_REST: usize = 16;
/// The minimum length of a value that counts as a credential.
const SHORTEST_VALUE: usize = 16;
/// The minimum length of a part of a signed token.
const SHORTEST_PART: usize = 10;
/// Prefixes of tokens of code hosts and chat services, with the minimum number of characters after
/// them.
const TOKEN_STARTS: &[(&str, usize)] = &[
    ("gho_", 36),
    ("ghp_", 36),
    ("ghs_", 36),
    ("ghu_", 36),
    ("github_pat_", 20),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
];
/// Texts directly before a credential in our own source code, with the minimum length of the value.
/// In other code, such short values are often harmless.
const VALUE_PREFIXES: &[(&str, usize, &str)] = &[
    ("accountkey=", 8, "a connection string"),
    ("sharedaccesskey=", 8, "a connection string"),
    ("sharedaccesssignature=", 8, "a connection string"),
    ("?sig=", 20, "a shared access signature"),
    ("&sig=", 20, "a shared access signature"),
    ("x-amz-signature=", 20, "a presigned URL"),
];
/// Names whose values in source code count as credentials.
const ASSIGNED: &[&str] = &["password", "secret", "api_key", "apikey"];

/// Whether the name of a file marks it as a file of credentials.
#[must_use]
pub fn in_name(path: &str) -> bool {
    let name = path
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let (stem, ending) = name.split_once('.').unwrap_or((&name, ""));
    let last = ending.rsplit('.').next().unwrap_or_default();
    ENDINGS.contains(&last) || (NAMES.contains(&stem) && last != SOURCE)
}

/// The position of a match in a text, and its kind.
type Finding = (usize, &'static str);

/// The kind of secret in a text, if any.
#[must_use]
pub fn in_text(text: &str) -> Option<&'static str> {
    credentials(text, &text.to_ascii_lowercase())
        .next()
        .map(|(_, what)| what)
}

/// The secrets in our own source code, by line. In addition to [`in_text`], it finds shorter
/// values, values without a digit, and quoted values assigned to a password. In other code, such
/// values are mostly labels.
#[must_use]
pub fn in_source(text: &str) -> BTreeMap<usize, &'static str> {
    // It has the length of the text, so positions are valid in both.
    let lower = text.to_ascii_lowercase();
    let found = credentials(text, &lower)
        .chain(prefixed_values(&lower))
        .chain(assigned(&lower));
    let mut lines = BTreeMap::new();
    for (at, what) in found {
        let before = text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        lines.entry(line).or_insert(what);
    }
    lines
}

/// All credentials in any text.
fn credentials(text: &str, lower: &str) -> impl Iterator<Item = Finding> {
    access_keys(text).chain(marked(lower)).chain(tokens(text))
}

/// The parts of a text between separators, each with its position.
fn words(text: &str, ends: fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive(ends).map(move |part| {
        let begin = at;
        at += part.len();
        (begin, part.strip_suffix(ends).unwrap_or(part))
    })
}

/// Ids of access keys, as separate words.
fn access_keys(text: &str) -> impl Iterator<Item = Finding> {
    let in_key = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let is_key = move |word: &str| {
        let rest = ACCESS_KEY_STARTS
            .iter()
            .find_map(|start| word.strip_prefix(start));
        rest.is_some_and(|rest| rest.len() == ACCESS_KEY_REST && rest.chars().all(in_key))
    };
    let found = words(text, |c| !c.is_ascii_alphanumeric()).filter(move |(_, word)| is_key(word));
    found.map(|(at, _)| (at, "an access key"))
}

/// Texts that occur only in credentials, with a value after them.
fn marked(lower: &str) -> impl Iterator<Item = Finding> {
    CREDENTIAL_MARKS.iter().flat_map(move |(marker, what)| {
        let found = lower.match_indices(marker);
        let valued = found.filter(|(at, marker)| {
            let rest = lower.get(at + marker.len()..);
            rest.is_some_and(|rest| has_value(marker, rest))
        });
        valued.map(|(at, _)| (at, *what))
    })
}

fn has_value(marker: &str, rest: &str) -> bool {
    if marker.starts_with('-') {
        // Certificates and public keys are not secret.
        let name = rest.split('-').next().unwrap_or_default();
        return name.ends_with("private key");
    }
    let rest = rest.trim_start_matches(['"', '\'', '=', ':', ' ', '\t', '\r', '\n']);
    let in_value = |c: char| c.is_ascii_alphanumeric() || "+/_=%.-".contains(c);
    let value = rest.split(|c| !in_value(c)).next().unwrap_or_default();
    value.len() >= SHORTEST_VALUE && value.bytes().any(|byte| byte.is_ascii_digit())
}

/// Signed tokens, which have three parts and begin like JSON in base64, and tokens of code hosts.
fn tokens(text: &str) -> impl Iterator<Item = Finding> {
    let found = words(text, |c| !(c.is_ascii_alphanumeric() || "_-.".contains(c)));
    let found = found.filter(|(_, word)| is_signed(word) || is_of_host(word));
    found.map(|(at, _)| (at, "a token"))
}

fn is_signed(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.windows(3).any(|parts| {
        let [head, claims, _] = parts else {
            return false;
        };
        let long = |part: &str| part.len() >= SHORTEST_PART;
        head.starts_with("eyJ") && long(head) && long(claims)
    })
}

fn is_of_host(word: &str) -> bool {
    let mut starts = TOKEN_STARTS.iter();
    starts.any(|(start, length)| {
        word.match_indices(start).any(|(at, _)| {
            let rest = word.get(at + start.len()..).unwrap_or_default();
            let in_rest = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c);
            let alone = word.get(..at).is_some_and(|before| {
                !before.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '_')
            });
            alone && rest.chars().take_while(in_rest).count() >= *length
        })
    })
}

/// Values directly after a text that occurs only before credentials.
fn prefixed_values(lower: &str) -> impl Iterator<Item = Finding> {
    let in_value = |c: &char| c.is_ascii_alphanumeric() || "+/%".contains(*c);
    VALUE_PREFIXES
        .iter()
        .flat_map(move |(marker, shortest, what)| {
            let valued = lower.match_indices(marker).filter(move |(at, marker)| {
                let rest = lower.get(at + marker.len()..).unwrap_or_default();
                rest.chars().take_while(in_value).count() >= *shortest
            });
            valued.map(|(at, _)| (at, *what))
        })
}

/// Quoted values assigned to names of credentials.
fn assigned(lower: &str) -> impl Iterator<Item = Finding> {
    ASSIGNED.iter().flat_map(move |name| {
        let valued = lower.match_indices(name).filter(|(at, name)| {
            let rest = lower.get(at + name.len()..);
            rest.is_some_and(is_quoted_value)
        });
        valued.map(|(at, _)| (at, "a password"))
    })
}

/// Whether `= "…"` or `: '…'` follows, with a value that is long enough and not a sentence.
fn is_quoted_value(rest: &str) -> bool {
    let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
    let Some(rest) = rest.strip_prefix([':', '=']) else {
        return false;
    };
    let Some(rest) = rest.trim_start().strip_prefix(['"', '\'']) else {
        return false;
    };
    let in_value = |c: char| c.is_ascii_alphanumeric() || "+/_-".contains(c);
    let end = rest.find(|c| !in_value(c)).unwrap_or(rest.len());
    let closed = rest
        .get(end..)
        .is_some_and(|after| after.starts_with(['"', '\'']));
    closed && end >= SHORTEST_VALUE
}

#[cfg(test)]
mod tests {
    use super::*;

    // Assembled at run time, so that this file contains no credential.

    #[test]
    fn credentials_are_found() {
        let key = format!("AK{}ABCDEFGHIJKLMNO1", "IA");
        let signed = format!(
            "ey{}.ey{}.c2lnbmF0dXJl",
            "JhbGciOiJSUzI1NiJ9", "JzdWIiOiIxMjM0NTY3ODkwIn0"
        );
        for (text, what) in [
            (format!("const id = \"{key}\";"), "an access key"),
            (
                format!("-----BEGIN RSA {} KEY-----\nMII", "PRIVATE"),
                "a private key or certificate",
            ),
            (
                format!("Account{}=abcdefgh12345678abc==;", "Key"),
                "a connection string",
            ),
            (
                format!("https://x.example/y?se=1&{}=abcdefgh12345678", "sig"),
                "a shared access signature",
            ),
            (
                format!("AWS_SECRET_ACCESS_{}: 'abcdefgh12345678'", "KEY"),
                "an access key",
            ),
            (format!("{} eyJhbGciOiJSUzI1NiJ9", "Bearer"), "a token"),
            (format!("token='{signed}'"), "a token"),
            (
                format!("gh{}_abcdefghijklmnopqrstuvwxyz0123456789", "p"),
                "a token",
            ),
        ] {
            assert_eq!(in_text(&text), Some(what), "{text}");
            assert_eq!(in_source(&text), BTreeMap::from([(1, what)]), "{text}");
        }
        for name in [
            "server.pem",
            "a/id_rsa",
            "credentials.json",
            "terraform.tfstate",
            "x.KEY",
        ] {
            assert!(in_name(name), "{name}");
        }
    }

    #[test]
    fn source_code_is_checked_more_strictly() {
        let letters = "abcdefghijklmnopqrstuvwxyz";
        for (line, what) in [
            (
                format!("pass{} = \"correcthorsebatterystaple\"", "word"),
                "a password",
            ),
            (
                format!("{{\"client_sec{}\": \"correct-horse-battery\"}}", "ret"),
                "a password",
            ),
            (
                format!("API_{}:'correcthorsebatterystaple'", "KEY"),
                "a password",
            ),
            (
                format!("Account{}=abcdefgh==;", "Key"),
                "a connection string",
            ),
            (
                format!("https://x.example/?se=1&{}={letters}", "sig"),
                "a shared access signature",
            ),
        ] {
            assert_eq!(in_source(&line), BTreeMap::from([(1, what)]), "{line}");
            assert_eq!(in_text(&line), None, "{line}");
        }
        for line in [
            "password = \"a sentence is not a password\"",
            "secret: \"short\"",
            "secret_of(\"workspace-management-dev\")",
        ] {
            assert_eq!(in_source(line), BTreeMap::new(), "{line}");
        }
    }

    #[test]
    fn credentials_in_source_code_are_reported_by_line() {
        let key = format!("AK{}ABCDEFGHIJKLMNO1", "IA");
        let text = format!(
            "one\npass{}:\n    \"correcthorsebatterystaple\"\n{key} {key}\n\u{e9} {key}\r\n\
             AWS_SECRET_ACCESS_{}:\n  abcdefgh12345678\n",
            "word", "KEY"
        );
        let expected = [
            (2, "a password"),
            (4, "an access key"),
            (5, "an access key"),
            (6, "an access key"),
        ];
        assert_eq!(in_source(&text), expected.into());
    }

    #[test]
    fn code_may_mention_credentials() {
        let code = "headers.authorization = `Bearer ${token}`; form('password=' + value);\
            env('AWS_SECRET_ACCESS_KEY'); '-----BEGIN PUBLIC KEY-----'; url + '&sig=' + signature;\
            // AKIA is how access keys begin\n client_secret=required; atob('eyJhbGciOiJSUzI1NiJ9')";
        assert_eq!(in_text(code), None);
        for name in ["assets/keys.js", "secretary.html", "src/secrets.rs"] {
            assert!(!in_name(name), "{name}");
        }
    }
}
