//! What is not for everybody to see, by its name or by what it says.
//!
//! A site is code, and code speaks of passwords and tokens without holding any: only what has the form
//! of a credential with its value counts.

use wm_core::catalog::{ACCESS_KEY_STARTS, CREDENTIAL_MARKS};

use super::File;

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

/// What a file gives away, without repeating it.
pub(super) fn found(file: &File) -> Option<String> {
    let key = &file.key;
    if is_named_so(key) {
        return Some(format!("`{key}`"));
    }
    let text = String::from_utf8_lossy(&file.bytes);
    let what = access_key(&text).or_else(|| marked(&text))?;
    Some(format!("{what} in `{key}`"))
}

fn is_named_so(key: &str) -> bool {
    let name = key
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let (stem, ending) = name.split_once('.').unwrap_or((&name, ""));
    let last = ending.rsplit('.').next().unwrap_or_default();
    ENDINGS.contains(&last) || NAMES.contains(&stem)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str, text: &str) -> File {
        File {
            key: key.into(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn credentials_are_found_and_not_repeated() {
        let key = format!("AK{}ABCDEFGHIJKLMNO1", "IA");
        for (text, what) in [
            (format!("const id = \"{key}\";"), "an access key"),
            (
                format!("-----BEGIN RSA {} KEY-----\nMII", "PRIVATE"),
                "a private key",
            ),
            (
                format!("Account{}=abcdefgh12345678abc==;", "Key"),
                "a connection string",
            ),
            (
                format!("https://x.example/y?se=1&{}=abcdefgh12345678", "sig"),
                "a shared access",
            ),
            (
                format!("AWS_SECRET_ACCESS_{}: 'abcdefgh12345678'", "KEY"),
                "an access key",
            ),
            (format!("{} eyJhbGciOiJSUzI1NiJ9", "Bearer"), "a token"),
        ] {
            let found = found(&file("assets/app.js", &text)).unwrap();
            assert!(found.starts_with(what), "{text}: {found}");
            assert!(found.ends_with("in `assets/app.js`") && !found.contains("abcdefgh"));
        }
        for name in [
            "server.pem",
            "a/id_rsa",
            "credentials.json",
            "terraform.tfstate",
            "x.KEY",
        ] {
            assert_eq!(found(&file(name, "")), Some(format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn code_may_speak_of_credentials() {
        let code = "headers.authorization = `Bearer ${token}`; form('password=' + value);\
            env('AWS_SECRET_ACCESS_KEY'); '-----BEGIN PUBLIC KEY-----'; url + '&sig=' + signature;\
            // AKIA is how access keys begin\n client_secret=required";
        assert_eq!(found(&file("assets/app.js", code)), None);
        assert_eq!(found(&file("assets/keys.js", "")), None);
        assert_eq!(found(&file("secretary.html", "")), None);
    }
}
