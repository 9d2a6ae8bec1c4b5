//! The documents agree with the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
    sync::LazyLock,
};

use regex::Regex;
use serde_json::Value;
use wm_core::record::Record;
use wm_tests::{
    bodies::{self, Comparable, Visitor},
    golden,
    random_source::Seeded,
    repository::{self, File},
};

const MODEL: &str = "docs/data-identity-model.md";
const CHECKLIST: &str = "docs/backend-parity-checklist.md";
const LOCAL: &str = "docs/local.md";

/// Members whose own members are data, not fields.
const FREE: [&str; 3] = ["clock", "labels", "values"];

/// The places outside core that a change may have to touch.
const TOUCHED: [&str; 22] = [
    "core/openapi.json",
    "core/service/src/ports.rs",
    "core/src/operation/authority.rs",
    "core/src/catalog.rs",
    "core/src/record/",
    "core/src/operations/",
    "core/src/storage/key.rs",
    "docs/aws.md",
    "docs/azure.md",
    "docs/data-identity-model.md",
    "docs/performance.md",
    "tests/cedar/policy.cedar",
    "tests/contract.json",
    "tests/goldens/attacks.txt",
    "tests/goldens/items/",
    "tests/goldens/roles.txt",
    "tests/src/bodies.rs",
    "tests/src/cost_probe.rs",
    "tests/src/memory.rs",
    "tests/src/replay/script.rs",
    "tests/src/replay/model.rs",
    "tests/tests/parity/crash.rs",
];

/// Pages about a surface, and the folder of that surface.
const WITH_A_SURFACE: [(&str, &str); 2] = [
    ("docs/aws.md", "aws-lambda"),
    ("docs/azure.md", "azure-functions"),
];

fn read(path: &str) -> String {
    let text = std::fs::read_to_string(repository::root().join(path));
    text.unwrap_or_else(|error| panic!("`{path}`: {error}"))
}

/// The words in backticks in a document, without fenced blocks.
fn quoted(document: &str) -> BTreeSet<String> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`\n]+)`").unwrap());
    let prose: Vec<&str> = document.split("```").step_by(2).collect();
    let prose = prose.concat();
    let words = WORD.captures_iter(&prose).map(|found| found[1].to_owned());
    words.collect()
}

/// The names of the envelope, of every family and of every field of its body.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.collect(value)),
            Value::Object(members) => {
                for (name, value) in members {
                    self.0.insert(name.clone());
                    if !FREE.contains(&name.as_str()) {
                        self.collect(value);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Visitor for Names {
    fn visit<B: Comparable>(&mut self, record: &Record<B>) {
        self.0.insert(bodies::family_name(B::FAMILY));
        let document = bodies::document(&record.encode());
        self.collect(&serde_json::from_str(&document).unwrap());
    }
}

/// `cargo xtask check` compares the model with the names in the goldens, so the goldens must
/// contain all of them.
#[test]
fn goldens_name_every_family_and_field() {
    let mut names = Names::default();
    for seed in 0..32 {
        bodies::each_family(|| Seeded::new(seed), &mut names);
    }
    for expected in ["write_event", "superseded_by", "claimed_until", "gsi4"] {
        assert!(names.0.contains(expected), "`{expected}` was not collected");
    }
    let mut goldens = Names::default();
    for name in golden::names("items") {
        let family = name.trim_end_matches(".json").to_owned();
        let records = serde_json::from_str(&read(&format!("tests/goldens/items/{name}"))).unwrap();
        goldens.0.insert(family);
        goldens.collect(&records);
    }
    let missing: Vec<&String> = names.0.difference(&goldens.0).collect();
    assert!(missing.is_empty(), "no golden has {missing:?}");
}

#[test]
fn model_gives_each_family_a_section() {
    #[derive(Default)]
    struct Families(Vec<String>);
    impl Visitor for Families {
        fn visit<B: Comparable>(&mut self, _: &Record<B>) {
            self.0.push(bodies::family_name(B::FAMILY));
        }
    }
    let mut families = Families::default();
    bodies::each_family(|| Seeded::new(1), &mut families);
    let document = read(MODEL);
    let headings = document.lines().filter(|line| line.starts_with("### "));
    let headings = quoted(&headings.collect::<Vec<_>>().join("\n"));
    for family in families.0 {
        assert!(headings.contains(&family), "`{family}` has no section");
    }
}

#[test]
fn checklist_names_touched_places_and_only_existing_ones() {
    let named = quoted(&read(CHECKLIST));
    for path in TOUCHED {
        assert!(named.contains(path), "`{CHECKLIST}` does not name `{path}`");
    }
    let is_path = |word: &&String| word.contains('/') && !word.contains(' ');
    for path in named.iter().filter(is_path) {
        assert!(
            !is_missing(path),
            "`{CHECKLIST}` names `{path}`, which does not exist"
        );
    }
}

/// Whether a path should exist and does not. The page of a surface exists only with its folder.
fn is_missing(path: &str) -> bool {
    let root = repository::root();
    let surface = WITH_A_SURFACE.iter().find(|(page, _)| *page == path);
    let is_expected = surface.is_none_or(|(_, folder)| root.join(folder).is_dir());
    is_expected && !root.join(path).exists()
}

/// The documents for readers.
fn documents(files: &[File]) -> Vec<&File> {
    let for_readers = |file: &&File| file.is(".md") && !file.path.starts_with('.');
    let documents: Vec<&File> = files.iter().filter(for_readers).collect();
    assert!(documents.len() > 8, "only {} documents", documents.len());
    documents
}

/// The targets of relative links, without fragments.
fn links(document: &str) -> Vec<String> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").unwrap());
    let targets = LINK.captures_iter(document).map(|link| link[1].to_owned());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter_map(|target| target.split('#').next().map(str::to_owned))
        .collect()
}

/// A path without `..`, as a browser resolves it.
fn resolved(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(plain.pop(), "{path:?} leaves the repository"),
            component => plain.push(component),
        }
    }
    plain
}

#[test]
fn every_relative_link_has_a_target() {
    let mut followed = 0;
    for document in documents(&repository::files()) {
        let folder = Path::new(&document.path).parent().unwrap();
        for target in links(&document.text) {
            let path = resolved(&folder.join(&target));
            let there = repository::root().join(path).exists();
            assert!(there, "`{}` links to `{target}`", document.path);
            followed += 1;
        }
    }
    assert!(followed > 10, "only {followed} links were followed");
}

/// The folders at the root of the repository.
fn top_folders(files: &[File]) -> BTreeSet<&str> {
    let nested = files.iter().filter_map(|file| file.path.split_once('/'));
    nested.map(|(folder, _)| folder).collect()
}

/// Whether a quoted word is the path of a file or, with `/` at its end, of a folder. Words with
/// placeholders are not, and paths relative to another folder cannot be checked.
fn is_path_from_root(word: &str, folders: &BTreeSet<&str>) -> bool {
    let is_complete = !word.contains([' ', '…', '*', '<', '>', '{', '}']);
    let is_named = word.ends_with('/') || Path::new(word).extension().is_some();
    let first = word.split_once('/').map(|(folder, _)| folder);
    is_complete && is_named && first.is_some_and(|folder| folders.contains(folder))
}

#[test]
fn every_quoted_path_exists() {
    let files = repository::files();
    let folders = top_folders(&files);
    let mut checked = 0;
    for document in documents(&files) {
        for word in quoted(&document.text) {
            if is_path_from_root(&word, &folders) {
                let page = &document.path;
                assert!(
                    !is_missing(&word),
                    "`{page}` names `{word}`, which does not exist"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "only {checked} paths were checked");
}

/// The subcommands from the `clap` definition: one per variant.
fn subcommands() -> Vec<String> {
    let source = read("cli/src/commands.rs");
    let (_, body) = source.split_once("enum Command {").unwrap();
    let (variants, _) = body.split_once('}').unwrap();
    let names = variants
        .lines()
        .filter_map(|line| line.trim().split_once('('));
    names.map(|(variant, _)| kebab(variant)).collect()
}

/// `DeploySite` becomes `deploy-site`.
fn kebab(variant: &str) -> String {
    let mut name = String::new();
    for (position, letter) in variant.char_indices() {
        if letter.is_uppercase() && position > 0 {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[test]
fn node_page_lists_every_command() {
    let commands = subcommands();
    assert!(commands.contains(&"deploy-site".to_owned()), "{commands:?}");
    let page = quoted(&read(LOCAL));
    for command in commands {
        let typed = format!("wm {command}");
        assert!(page.contains(&typed), "`{LOCAL}` does not name `{typed}`");
    }
}

/// The case numbers in test names and in the known limitations of harnesses.
fn numbers_of_cases(text: &str) -> BTreeSet<u32> {
    static CASE: LazyLock<Regex> = LazyLock::new(|| Regex::new("case_([0-9]+)").unwrap());
    let numbers = CASE.captures_iter(text).map(|found| found[1].parse());
    numbers.map(Result::unwrap).collect()
}

/// The numbers in the list of cases, and whether each is only planned.
fn listed_cases() -> BTreeMap<u32, bool> {
    static ITEM: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^([0-9]+)\. (.*)$").unwrap());
    let page = read("docs/cases.md");
    let items = ITEM.captures_iter(&page);
    items
        .map(|item| (item[1].parse().unwrap(), item[2].contains("(planned)")))
        .collect()
}

#[test]
fn every_case_number_in_a_test_name_is_listed() {
    let listed = listed_cases();
    let numbers: Vec<u32> = listed.keys().copied().collect();
    let complete: Vec<u32> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, complete);
    let sources = repository::files();
    let sources = sources.iter().filter(|file| file.is(".rs"));
    let named: BTreeSet<u32> = sources
        .flat_map(|file| numbers_of_cases(&file.text))
        .collect();
    let unknown: Vec<&u32> = named
        .iter()
        .filter(|number| !listed.contains_key(number))
        .collect();
    assert!(unknown.is_empty(), "docs/cases.md has no {unknown:?}");
    let shown = listed.iter().filter(|(_, planned)| !**planned);
    let untested: Vec<&u32> = shown
        .map(|(number, _)| number)
        .filter(|number| !named.contains(number))
        .collect();
    assert!(untested.is_empty(), "no test shows {untested:?}");
}
