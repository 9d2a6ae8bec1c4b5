//! What no file of the repository may contain.

use std::sync::LazyLock;

use regex::Regex;
use wm_tests::repository::{self, File};

/// The names of cloud services, as words.
const CLOUD_WORDS: &str = r"(?i)\b(aws|amazon|azure|microsoft|dynamodb|cosmos|cognito|entra|s3|lambda|eventbridge|event grid|ses|blob storage|key vault)\b";

#[test]
fn core_names_cloud_services_in_the_catalog_only() {
    let words = Regex::new(CLOUD_WORDS).unwrap();
    let files = repository::files();
    let core = files
        .iter()
        .filter(|file| file.path.starts_with("core/") && file.is(".rs"));
    let named: Vec<&str> = core
        .filter(|file| !file.path.starts_with("core/service/"))
        .filter(|file| words.is_match(repository::without_tests(&file.text)))
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(named, ["core/src/catalog.rs"]);
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    let tested = |file: &File| {
        let mut folders = file.path.split('/').rev().skip(1);
        folders.any(|folder| folder == "tests" || folder == "benches")
    };
    for file in repository::files()
        .iter()
        .filter(|file| file.is(".rs") && !tested(file))
    {
        let lines = file.text.lines().count();
        assert!(lines <= 500, "`{}` has {lines} lines: split it", file.path);
    }
}

/// What gives a credential away, or somebody's machine.
const REFUSED: &[(&str, &str)] = &[
    ("an access key", r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    (
        "a connection string",
        r"(AccountKey|SharedAccessKey|SharedAccessSignature)=[A-Za-z0-9+/%]{8}",
    ),
    (
        "a signature",
        r"[?&](sig|X-Amz-Signature)=[A-Za-z0-9%+/]{20}",
    ),
    ("a token", r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\."),
    (
        "a token",
        r"\b(gh[opsu]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{20}|xox[abprs]-[A-Za-z0-9-]{10})",
    ),
    (
        "a password",
        r#"(?i)(password|secret|api_?key)["']?\s*[:=]\s*["'][A-Za-z0-9+/_-]{16,}["']"#,
    ),
    (
        "an absolute path",
        r#"(?m)(^|[\s"'`(=:])(/(home|root|Users)/|[A-Z]:\\)"#,
    ),
];

/// Test vectors that look like what is refused: the file, and what the finding begins with.
const VECTORS: &[(&str, &str)] = &[
    ("core/src/selection/credential.rs", "\"/Us"),
    ("core/src/selection/credential.rs", "\"C:"),
];

static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let compiled = |(what, pattern): &(&'static str, &str)| (*what, Regex::new(pattern).unwrap());
    REFUSED.iter().map(compiled).collect()
});

fn findings(file: &File) -> Vec<String> {
    let known = |hit: &str| {
        VECTORS
            .iter()
            .any(|(path, vector)| file.path == *path && hit.starts_with(vector))
    };
    let mut found = Vec::new();
    for (what, pattern) in PATTERNS.iter() {
        let hits = pattern.find_iter(&file.text).map(|hit| hit.as_str());
        for hit in hits.filter(|hit| !known(hit)) {
            found.push(format!("{}: {what}: {hit}", file.path));
        }
    }
    found
}

#[test]
fn no_file_holds_a_credential_or_an_absolute_path() {
    let files = repository::files();
    assert!(
        files.len() > 100,
        "only {} files were looked at",
        files.len()
    );
    let found: Vec<String> = files.iter().flat_map(findings).collect();
    assert!(found.is_empty(), "{found:#?}");
    let here = repository::root();
    let here = here.to_str().unwrap();
    let stray: Vec<&File> = files
        .iter()
        .filter(|file| file.text.contains(here))
        .collect();
    assert!(stray.is_empty(), "{stray:?}");
}

#[test]
fn what_is_refused_would_be_found() {
    let samples = [
        ["AKIA", "ABCDEFGHIJKLMNOP"].concat(),
        ["-----BEGIN RSA PRIVATE", " KEY-----"].concat(),
        ["AccountKey", "=abcdefgh12345678=="].concat(),
        ["https://x.example/?se=1&", "sig=abcdefghijklmnopqrstuvwxyz"].concat(),
        [
            "eyJhbGciOiJSUzI1NiJ9",
            ".eyJzdWIiOiIxMjM0NTY3ODkwIn0",
            ".c2ln",
        ]
        .concat(),
        ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"].concat(),
        ["password", " = \"correcthorsebatterystaple\""].concat(),
        ["see /ho", "me/ana/notes"].concat(),
    ];
    for text in samples {
        let file = File {
            path: "sample".into(),
            text,
        };
        assert_eq!(findings(&file).len(), 1, "{}", file.text);
    }
}

#[test]
fn nothing_is_left_to_be_done_later() {
    let words = Regex::new(&["\\b(TO", "DO|FIX", "ME|XX", "X)\\b"].concat()).unwrap();
    for file in repository::files()
        .iter()
        .filter(|file| file.is(".rs") || file.is(".md"))
    {
        let found = words.find(&file.text).map(|word| word.as_str());
        assert_eq!(found, None, "{}", file.path);
    }
}
