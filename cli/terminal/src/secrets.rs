//! What is not for everybody to see, by its name or by what it says.
//!
//! Sites and sources are code, and code speaks of passwords and tokens without holding any: only what has
//! the form of a credential with its value counts.

use wm_core::catalog::{ACCESS_KEY_STARTS, CREDENTIAL_MARKS};

/// Endings of files that hold keys or the state of tools.
const ENDINGS: &[&str] = &[
    "jks", "kdbx", "key", "keystore", "p12", "pem", "pfx", "ppk", "tfstate",
];
/// Files that hold credentials, whatever their ending.
const NAMES: &[&str] = &["credentials", "id_ecdsa", "id_ed25519", "id_rsa", "secrets"];
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
    ENDINGS.contains(&last) || NAMES.contains(&stem)
}

/// What a text gives away.
#[must_use]
pub fn in_text(text: &str) -> Option<&'static str> {
    access_key(text)
        .or_else(|| marked(text))
        .or_else(|| token(text))
}

/// What a line of our own sources gives away: as [`in_text`], and also shorter values, values without a
/// digit, and values in quotes that are assigned to a password, which in the code of others are mostly labels.
#[must_use]
pub fn in_source(line: &str) -> Option<&'static str> {
    let lower = line.to_ascii_lowercase();
    in_text(line)
        .or_else(|| glued(&lower))
        .or_else(|| assigned(&lower))
}

/// The id of an access key, standing for itself.
fn access_key(text: &str) -> Option<&'static str> {
    let in_key = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let is_key = |word: &str| {
        let rest = ACCESS_KEY_STARTS
            .iter()
            .find_map(|start| word.strip_prefix(start));
        rest.is_some_and(|rest| rest.len() == ACCESS_KEY_REST)
    };
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .any(|word| word.chars().all(in_key) && is_key(word))
        .then_some("an access key")
}

/// A text that only occurs in credentials, with a value after it.
fn marked(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let valued = |mark: &str| {
        let mut places = lower.match_indices(mark);
        places.any(|(at, _)| {
            lower
                .get(at + mark.len()..)
                .is_some_and(|rest| has_value(mark, rest))
        })
    };
    let found = CREDENTIAL_MARKS.iter().find(|(mark, _)| valued(mark));
    found.map(|(_, what)| *what)
}

fn has_value(mark: &str, rest: &str) -> bool {
    if mark.starts_with('-') {
        // Certificates and public keys are for everybody.
        let name = rest.split('-').next().unwrap_or_default();
        return name.ends_with("private key");
    }
    let rest = rest.trim_start_matches(['"', '\'', '=', ':', ' ']);
    let in_value = |c: char| c.is_ascii_alphanumeric() || "+/_=%.-".contains(c);
    let value = rest.split(|c| !in_value(c)).next().unwrap_or_default();
    value.len() >= SHORTEST_VALUE && value.bytes().any(|byte| byte.is_ascii_digit())
}

/// A signed token, which has three parts and begins as JSON does in base64, or one of a code host.
fn token(text: &str) -> Option<&'static str> {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let mut words = text.split(|c: char| !in_token(c));
    words
        .any(|word| is_signed(word) || is_of_host(word))
        .then_some("a token")
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

/// A value right behind what only stands before credentials.
fn glued(lower: &str) -> Option<&'static str> {
    let in_value = |c: &char| c.is_ascii_alphanumeric() || "+/%".contains(*c);
    let is_glued = |mark: &str, shortest: usize| {
        let mut places = lower.match_indices(mark);
        places.any(|(at, _)| {
            let rest = lower.get(at + mark.len()..).unwrap_or_default();
            rest.chars().take_while(in_value).count() >= shortest
        })
    };
    let mut marks = GLUED.iter();
    let found = marks.find(|(mark, shortest, _)| is_glued(mark, *shortest));
    found.map(|(_, _, what)| *what)
}

/// A value in quotes that is assigned to a name for credentials.
fn assigned(lower: &str) -> Option<&'static str> {
    let is_assigned = |name: &str| {
        let mut places = lower.match_indices(name);
        places.any(|(at, _)| lower.get(at + name.len()..).is_some_and(is_quoted_value))
    };
    let mut names = ASSIGNED.iter();
    names.any(|name| is_assigned(name)).then_some("a password")
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
            assert_eq!(in_source(&text), Some(what), "{text}");
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
            assert_eq!(in_source(&line), Some(what), "{line}");
            assert_eq!(in_text(&line), None, "{line}");
        }
        for line in [
            "password = \"a sentence is not a password\"",
            "secret: \"short\"",
            "secret_of(\"workspace-management-dev\")",
        ] {
            assert_eq!(in_source(line), None, "{line}");
        }
    }

    #[test]
    fn code_may_speak_of_credentials() {
        let code = "headers.authorization = `Bearer ${token}`; form('password=' + value);\
            env('AWS_SECRET_ACCESS_KEY'); '-----BEGIN PUBLIC KEY-----'; url + '&sig=' + signature;\
            // AKIA is how access keys begin\n client_secret=required; atob('eyJhbGciOiJSUzI1NiJ9')";
        assert_eq!(in_text(code), None);
        assert!(!in_name("assets/keys.js") && !in_name("secretary.html"));
    }
}
