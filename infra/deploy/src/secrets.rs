//! What is not for everybody to see, by its name or by what it says.
//!
//! Sites and sources are code, and code speaks of passwords and tokens without holding any: only what has
//! the form of a credential with its value counts.

use std::collections::BTreeMap;

use wm_core::catalog::{ACCESS_KEY_STARTS, CREDENTIAL_MARKS};

/// Endings of files that hold keys or the state of tools.
const ENDINGS: &[&str] = &[
    "jks", "kdbx", "key", "keystore", "p12", "pem", "pfx", "ppk", "tfstate",
];
/// Files that hold credentials, whatever their ending.
const NAMES: &[&str] = &["credentials", "id_ecdsa", "id_ed25519", "id_rsa", "secrets"];
/// The ending of sources, which may be about credentials.
const SOURCE: &str = "rs";
/// How many characters follow the beginning of an access key's id.
const ACCESS_KEY_REST: usize = 16;
/// The shortest value that is taken for a credential.
const SHORTEST_VALUE: usize = 16;
/// The shortest part of a signed token.
const SHORTEST_PART: usize = 10;
/// Beginnings of the tokens of code hosts and chats, with the fewest characters that follow.
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
/// What stands right before a credential in sources, with the shortest value that counts there. In the code of
/// others as little may be anything.
const GLUED: &[(&str, usize, &str)] = &[
    ("accountkey=", 8, "a connection string"),
    ("sharedaccesskey=", 8, "a connection string"),
    ("sharedaccesssignature=", 8, "a connection string"),
    ("?sig=", 20, "a shared access signature"),
    ("&sig=", 20, "a shared access signature"),
    ("x-amz-signature=", 20, "a presigned address"),
];
/// Names whose values are credentials wherever somebody writes them into a source.
const ASSIGNED: &[&str] = &["password", "secret", "api_key", "apikey"];

/// Whether a file is one of credentials by its name.
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

/// Where something stands in a text, and what.
type Place = (usize, &'static str);

/// What a text gives away.
#[must_use]
pub fn in_text(text: &str) -> Option<&'static str> {
    places(text, &text.to_ascii_lowercase())
        .next()
        .map(|(_, what)| what)
}

/// What one of our own sources gives away, by the lines in which it begins: as [`in_text`], and also shorter
/// values, values without a digit, and values in quotes that are assigned to a password, which in the code of
/// others are mostly labels.
#[must_use]
pub fn in_source(text: &str) -> BTreeMap<usize, &'static str> {
    // As long as the text, so that places in the one are places in the other.
    let lower = text.to_ascii_lowercase();
    let found = places(text, &lower)
        .chain(glued(&lower))
        .chain(assigned(&lower));
    let mut lines = BTreeMap::new();
    for (at, what) in found {
        let before = text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        lines.entry(line).or_insert(what);
    }
    lines
}

/// Everything that is a credential in any text.
fn places(text: &str, lower: &str) -> impl Iterator<Item = Place> {
    access_keys(text).chain(marked(lower)).chain(tokens(text))
}

/// The pieces of a text between what ends them, and where each begins.
fn words(text: &str, ends: fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive(ends).map(move |piece| {
        let begin = at;
        at += piece.len();
        (begin, piece.strip_suffix(ends).unwrap_or(piece))
    })
}

/// The ids of access keys, each standing for itself.
fn access_keys(text: &str) -> impl Iterator<Item = Place> {
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

/// Texts that only occur in credentials, with a value after them.
fn marked(lower: &str) -> impl Iterator<Item = Place> {
    CREDENTIAL_MARKS.iter().flat_map(move |(mark, what)| {
        let found = lower.match_indices(mark);
        let valued = found.filter(|(at, mark)| {
            let rest = lower.get(at + mark.len()..);
            rest.is_some_and(|rest| has_value(mark, rest))
        });
        valued.map(|(at, _)| (at, *what))
    })
}

fn has_value(mark: &str, rest: &str) -> bool {
    if mark.starts_with('-') {
        // Certificates and public keys are for everybody.
        let name = rest.split('-').next().unwrap_or_default();
        return name.ends_with("private key");
    }
    let rest = rest.trim_start_matches(['"', '\'', '=', ':', ' ', '\t', '\r', '\n']);
    let in_value = |c: char| c.is_ascii_alphanumeric() || "+/_=%.-".contains(c);
    let value = rest.split(|c| !in_value(c)).next().unwrap_or_default();
    value.len() >= SHORTEST_VALUE && value.bytes().any(|byte| byte.is_ascii_digit())
}

/// Signed tokens, which have three parts and begin as JSON does in base64, and those of code hosts.
fn tokens(text: &str) -> impl Iterator<Item = Place> {
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

/// Values right behind what only stands before credentials.
fn glued(lower: &str) -> impl Iterator<Item = Place> {
    let in_value = |c: &char| c.is_ascii_alphanumeric() || "+/%".contains(*c);
    GLUED.iter().flat_map(move |(mark, shortest, what)| {
        let valued = lower.match_indices(mark).filter(move |(at, mark)| {
            let rest = lower.get(at + mark.len()..).unwrap_or_default();
            rest.chars().take_while(in_value).count() >= *shortest
        });
        valued.map(|(at, _)| (at, *what))
    })
}

/// Values in quotes that are assigned to names for credentials.
fn assigned(lower: &str) -> impl Iterator<Item = Place> {
    ASSIGNED.iter().flat_map(move |name| {
        let valued = lower.match_indices(name).filter(|(at, name)| {
            let rest = lower.get(at + name.len()..);
            rest.is_some_and(is_quoted_value)
        });
        valued.map(|(at, _)| (at, "a password"))
    })
}

/// Whether `= "…"` or `: '…'` follows, with a value that is long enough and no sentence.
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

    // Put together here, so that this file holds none itself.

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
    fn sources_are_looked_at_more_closely() {
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
    fn what_a_source_gives_away_is_told_by_its_lines() {
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
    fn code_may_speak_of_credentials() {
        let code = "headers.authorization = `Bearer ${token}`; form('password=' + value);\
            env('AWS_SECRET_ACCESS_KEY'); '-----BEGIN PUBLIC KEY-----'; url + '&sig=' + signature;\
            // AKIA is how access keys begin\n client_secret=required; atob('eyJhbGciOiJSUzI1NiJ9')";
        assert_eq!(in_text(code), None);
        for name in ["assets/keys.js", "secretary.html", "src/secrets.rs"] {
            assert!(!in_name(name), "{name}");
        }
    }
}
