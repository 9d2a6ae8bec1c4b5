//! Texts that no file of the repository may contain.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use serde_json::Value;
use wm_test_results::Recording;
use wm_tests::repository::{self, File};

/// The names of cloud services, as words.
const CLOUD_WORDS: &str = r"(?i)\b(aws|amazon|azure|microsoft|dynamodb|cosmos|cognito|entra|s3|lambda|eventbridge|event grid|ses|blob storage|key vault)\b";

#[test]
fn core_names_cloud_services_in_the_catalog_only() {
    let _recording = Recording::start();
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

/// Whether a file is a Rust source outside `tests/` and `benches/`.
fn is_product(file: &File) -> bool {
    let mut folders = file.path.split('/').rev().skip(1);
    file.is(".rs") && !folders.any(|folder| folder == "tests" || folder == "benches")
}

#[test]
fn files_have_at_most_five_hundred_lines() {
    for file in repository::files().iter().filter(|file| is_product(file)) {
        let lines = file.text.lines().count();
        assert!(lines <= 500, "`{}` has {lines} lines: split it", file.path);
    }
}

/// Paths that reveal a machine. `cargo xtask check` finds texts that look like credentials.
const ABSOLUTE: &str = r#"(?m)(^|[\s"'`(=:])(/(home|root|Users)/|[A-Z]:\\)"#;

/// Test vectors that look like such paths: the file, and the beginning of the finding.
const VECTORS: &[(&str, &str)] = &[
    ("core/src/selection/credential.rs", "\"/Us"),
    ("core/src/selection/credential.rs", "\"C:"),
];

static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(ABSOLUTE).unwrap());

fn findings(file: &File) -> Vec<String> {
    let known = |hit: &&str| {
        let mut vectors = VECTORS.iter();
        vectors.any(|(path, vector)| file.path == *path && hit.starts_with(vector))
    };
    let hits = PATTERN.find_iter(&file.text).map(|hit| hit.as_str());
    hits.filter(|hit| !known(hit))
        .map(|hit| format!("{}: {hit}", file.path))
        .collect()
}

#[test]
fn files_contain_no_absolute_paths() {
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
fn absolute_path_is_found() {
    let text = ["see /ho", "me/ana/notes"].concat();
    let path = "sample".into();
    assert_eq!(findings(&File { path, text }).len(), 1);
}

#[test]
fn files_contain_no_postponed_work_markers() {
    let words = Regex::new(&["\\b(TO", "DO|FIX", "ME|XX", "X)\\b"].concat()).unwrap();
    for file in repository::files()
        .iter()
        .filter(|file| file.is(".rs") || file.is(".md"))
    {
        let found = words.find(&file.text).map(|word| word.as_str());
        assert_eq!(found, None, "{}", file.path);
    }
}

const GLOSSARY: &str = "docs/glossary.md";

/// The names and phrases that the glossary replaces.
fn banned(glossary: &str) -> Vec<&str> {
    let (_, rest) = glossary.split_once("<!-- begin banned -->").unwrap();
    let (table, _) = rest.split_once("<!-- end banned -->").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split_once('`').unwrap().0).collect()
}

/// Whether a name is a phrase of plain words. All others are identifiers or parts of code.
fn is_phrase(name: &str) -> bool {
    const KEYWORDS: [&str; 9] = [
        "const", "enum", "fn", "let", "mod", "static", "struct", "trait", "type",
    ];
    let first = name.split(' ').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_lowercase() || " -,".contains(c);
    name.chars().all(is_plain) && !KEYWORDS.contains(&first)
}

/// Whether a text contains a name as whole words.
fn contains_name(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + name.len()..].chars().next();
        let continues_before = name.starts_with(is_word) && before.is_some_and(is_word);
        let continues_after = name.ends_with(is_word) && after.is_some_and(is_word);
        !continues_before && !continues_after
    })
}

/// The banned names in a text: phrases in any case, and identifiers in this spelling. This is not a
/// regular expression, because one of so many alternatives takes a minute without optimisation.
fn banned_in<'a>(text: &str, banned: &[&'a str]) -> Vec<&'a str> {
    let lowercase = text.to_lowercase();
    let is_found = |name: &&&str| {
        let text = if is_phrase(name) { &lowercase } else { text };
        contains_name(text, name)
    };
    banned.iter().filter(is_found).copied().collect()
}

#[test]
fn files_contain_no_banned_names() {
    let files = repository::files();
    let glossary = files.iter().find(|file| file.path == GLOSSARY).unwrap();
    let banned = banned(&glossary.text);
    assert!(banned.len() > 80, "only {} names are banned", banned.len());
    let found: Vec<String> = files
        .iter()
        .filter(|file| file.path != GLOSSARY)
        .flat_map(|file| {
            let names = banned_in(&file.text, &banned).into_iter();
            names.map(|name| format!("{}: `{name}`", file.path))
        })
        .collect();
    assert!(
        found.is_empty(),
        "use the terms of `{GLOSSARY}`: {found:#?}"
    );
}

#[test]
fn banned_name_is_found_as_a_whole_word_only() {
    let found = |text: &str| !banned_in(text, &["fn set", "Sid::"]).is_empty();
    assert!(found("pub fn set()") && found("Sid::One"));
    assert!(!found("fn settings()") && !found("Sid") && !found("SID::One"));
}

#[test]
fn banned_phrase_is_found_in_upper_and_lower_case() {
    let found = |text: &str| !banned_in(text, &["the set", "sets"]).is_empty();
    assert!(found("The set of them") && found("Sets them"));
    assert!(!found("the settings"));
}

/// An operation's name is written in its route. It may occur twice at most elsewhere, in tests of
/// that operation alone.
#[test]
fn operation_names_are_written_in_their_routes() {
    let files = repository::files();
    let elsewhere = |file: &&File| file.is(".rs") && !file.path.starts_with("core/src/operations/");
    for route in wm_core::operations::routes() {
        let name = format!("\"{}\"", route.operation);
        let written: Vec<_> = files
            .iter()
            .filter(elsewhere)
            .flat_map(|file| file.text.matches(&name).map(|_| file.path.as_str()))
            .collect();
        assert!(
            written.len() <= 2,
            "{name} is written by hand in {written:?}"
        );
    }
}

const STORAGE: &str = "core/src/storage/";

/// A text that begins like those of an index: the key of a changed record in an example.
const NOT_OF_AN_INDEX: (&str, &str) = ("core/src/operations/journal.rs", "\"TEAM#");

/// The beginnings of the partitions and sort keys in the indexes, such as `ACCOUNT` and `MEMBER`.
fn index_kinds(source: &str) -> BTreeSet<&str> {
    let kinds = Regex::new(r#""([A-Z]+)#"#).unwrap();
    let found = kinds.captures_iter(repository::without_tests(source));
    found.map(|hit| hit.get(1).unwrap().as_str()).collect()
}

/// Finds the text of an index, and code that chooses an index or builds an index key.
fn index_pattern(kinds: &BTreeSet<&str>) -> Regex {
    let kinds: Vec<&str> = kinds.iter().copied().collect();
    let kinds = kinds.join("|");
    Regex::new(&format!(r#""({kinds})#|\bIndex::Gsi\d|\bIndexKey \{{"#)).unwrap()
}

/// The findings in a source. Code of databases converts every index and index key; code of core uses
/// the constructors of storage.
fn index_texts(file: &File, pattern: &Regex) -> Vec<String> {
    let production = repository::without_tests(&file.text);
    let hits = pattern.find_iter(production).map(|hit| hit.as_str());
    hits.filter(|hit| hit.starts_with('"') || file.path.starts_with("core/src/"))
        .filter(|hit| (file.path.as_str(), *hit) != NOT_OF_AN_INDEX)
        .map(|hit| format!("{}: {hit}", file.path))
        .collect()
}

/// Records and lists take the rows of an index from one constructor, so that lists find what records
/// wrote.
#[test]
fn index_texts_stand_in_storage_only() {
    let files = repository::files();
    let index = format!("{STORAGE}index.rs");
    let index = files.iter().find(|file| file.path == index).unwrap();
    let kinds = index_kinds(&index.text);
    assert_eq!(kinds.len(), 10, "{kinds:?}");
    let pattern = index_pattern(&kinds);
    let found: Vec<String> = files
        .iter()
        .filter(|file| is_product(file) && !file.path.starts_with(STORAGE))
        .flat_map(|file| index_texts(file, &pattern))
        .collect();
    assert!(
        found.is_empty(),
        "use a constructor of `IndexRows`: {found:#?}"
    );
}

#[test]
fn index_text_outside_storage_is_found() {
    let pattern = index_pattern(&BTreeSet::from(["ACCOUNT", "WORK"]));
    let text = "let partition = format!(\"ACCOUNT#{account}\"); Index::Gsi1";
    let found = |path: &str| {
        let (path, text) = (path.into(), text.into());
        index_texts(&File { path, text }, &pattern).len()
    };
    assert_eq!(found("core/src/operations/sample.rs"), 2);
    assert_eq!(found("local/src/sample.rs"), 1);
}

/// Finds *artifact* in a sentence of a text, such as an error. Code has no articles before names.
const ARTIFACT_IN_PROSE: &str =
    r"(?i)\b(a|an|the|this|that|of|every|each|no|one|another|any|all|its)\s+artifacts?\b";

/// The lines of code, without comments and tests, whose texts say *artifact*.
fn lines_that_say_artifact<'a>(
    file: &'a File,
    pattern: &'a Regex,
) -> impl Iterator<Item = &'a str> {
    let lines = repository::without_tests(&file.text).lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.filter(|line| pattern.is_match(line))
}

#[test]
fn product_texts_say_document() {
    let pattern = Regex::new(ARTIFACT_IN_PROSE).unwrap();
    let files = repository::files();
    let product = files.iter().filter(|file| is_product(file));
    let found: Vec<String> = product
        .flat_map(|file| {
            let lines = lines_that_say_artifact(file, &pattern);
            lines.map(|line| format!("{}: {}", file.path, line.trim()))
        })
        .collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn artifact_in_a_text_is_found() {
    let pattern = Regex::new(ARTIFACT_IN_PROSE).unwrap();
    let text = "// An artifact.\nlet artifact = \"the `artifact` of this artifact\";\n".into();
    let path = "sample.rs".into();
    let file = File { path, text };
    assert_eq!(lines_that_say_artifact(&file, &pattern).count(), 1);
    assert!(!pattern.is_match("let artifact = \"the `artifact`\";"));
}

/// Readers see *document*. `artifact` is a name in paths, ids and members.
#[test]
fn api_texts_say_document() {
    fn prose(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text)
                            if ["description", "summary"].contains(&name.as_str()) =>
                        {
                            found.push(text.clone());
                        }
                        _ => prose(member, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| prose(item, found)),
            _ => {}
        }
    }
    let names = Regex::new("`[^`]*`").unwrap();
    let mut found = Vec::new();
    prose(&wm_core::http::openapi::document(), &mut found);
    found.retain(|text| {
        names
            .replace_all(text, "")
            .to_lowercase()
            .contains("artifact")
    });
    assert_eq!(found, [""; 0]);
}
