//! `tests/contract.json` names every scenario of the suite and every trial of the replay, and only
//! existing tests.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;
use wm_tests::repository::{self, File};

const CONTRACT: &str = "tests/contract.json";
const SURFACES: [&str; 3] = ["local", "aws", "azure"];
/// The prefix of scenario names.
const SUITE: &str = "suite::";
/// The program that compares all surfaces, and the prefix of its tests' names.
const SIDE_BY_SIDE: &str = "tests/tests/parity/";
const TRIALS: &str = "parity::";
/// The folders of test programs.
const PROGRAMS: [&str; 5] = [
    "tests/tests",
    "tests/xtask/tests",
    "cli/tests",
    "local/tests",
    "core/tests",
];

macro_rules! names {
    ($($module:ident::$name:ident,)*) => {
        [$(concat!("suite::", stringify!($module), "::", stringify!($name)),)*]
    };
}

/// Every scenario of the suite.
fn scenarios() -> BTreeSet<&'static str> {
    wm_tests::for_each_scenario!(names).into()
}

/// The tests of the program `parity`, which passes their names to its runner.
fn trials(files: &[File]) -> BTreeSet<String> {
    let quoted = Regex::new(r#""([a-z][a-z0-9_]*::[a-z][a-z0-9_]*)""#).unwrap();
    let of_it = files
        .iter()
        .filter(|file| file.path.starts_with(SIDE_BY_SIDE));
    let names = of_it.flat_map(|file| quoted.captures_iter(&file.text));
    names.map(|name| format!("{TRIALS}{}", &name[1])).collect()
}

/// A sentence of the contract, with the surfaces of each of its tests.
struct Sentence {
    id: String,
    sentence: String,
    tests: BTreeMap<String, BTreeSet<String>>,
}

impl Sentence {
    fn read(value: &Value) -> Self {
        let tests = value["tests"].as_array().unwrap().iter();
        let mut read = Self {
            id: value["id"].as_str().unwrap().to_owned(),
            sentence: value["sentence"].as_str().unwrap().to_owned(),
            tests: BTreeMap::new(),
        };
        for test in tests {
            let name = test["test"].as_str().unwrap().to_owned();
            let surfaces = surfaces(&name, test);
            let twice = read.tests.insert(name.clone(), surfaces);
            assert!(twice.is_none(), "`{}` names `{name}` twice", read.id);
        }
        read
    }
}

/// The surfaces of a test: all for a scenario, none for a test of shared code, otherwise the named
/// ones, or all for a comparison of surfaces.
fn surfaces(name: &str, test: &Value) -> BTreeSet<String> {
    let (named, shared) = (test.get("surfaces"), test.get("shared"));
    let says_nothing = named.is_none() && shared.is_none();
    if name.starts_with(SUITE) {
        assert!(
            says_nothing,
            "`{name}` runs on every surface: leave `surfaces` and `shared` out"
        );
    }
    if says_nothing {
        assert!(
            name.starts_with(SUITE) || name.starts_with(TRIALS),
            "`{name}` runs on no surface that is known: name `surfaces`, or say `\"shared\": true`"
        );
        return SURFACES.map(str::to_owned).into();
    }
    if let Some(shared) = shared {
        assert!(
            *shared == Value::Bool(true) && named.is_none(),
            "`{name}` is either shared by all surfaces or runs on some"
        );
        return BTreeSet::new();
    }
    some(name, named.unwrap())
}

/// The surfaces that a test names.
fn some(name: &str, named: &Value) -> BTreeSet<String> {
    let named = named.as_array().unwrap().iter();
    let named: BTreeSet<String> = named
        .map(|surface| surface.as_str().unwrap().to_owned())
        .collect();
    let are_known = named
        .iter()
        .all(|surface| SURFACES.contains(&surface.as_str()));
    let are_all = named.len() == SURFACES.len() && name.starts_with(TRIALS);
    assert!(
        are_known && !named.is_empty() && !are_all,
        "`{name}` runs on {named:?}: name surfaces that there are, or leave `surfaces` out where it is all"
    );
    named
}

/// The contract as JSON.
fn written() -> Value {
    let text = std::fs::read_to_string(repository::root().join(CONTRACT)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn contract() -> Vec<Sentence> {
    let written = written();
    let sentences = written["sentences"].as_array().unwrap();
    sentences.iter().map(Sentence::read).collect()
}

/// The tests that prove no sentence, each with its reason.
fn conventions() -> BTreeSet<String> {
    let written = written();
    let conventions = written["conventions"].as_array().unwrap();
    let names = conventions.iter().map(|convention| {
        let name = convention["test"].as_str().unwrap();
        let reason = convention["reason"].as_str().unwrap();
        assert!(
            reason.ends_with('.') && reason.contains(' '),
            "`{name}` proves no sentence, and does not say what it is for: {reason}"
        );
        name.to_owned()
    });
    let names: BTreeSet<String> = names.collect();
    assert_eq!(names.len(), conventions.len(), "a name stands twice");
    names
}

/// The tests that the contract names for its sentences.
fn named(contract: &[Sentence]) -> BTreeSet<&str> {
    let names = contract.iter().flat_map(|sentence| sentence.tests.keys());
    names.map(String::as_str).collect()
}

#[test]
fn every_scenario_proves_a_sentence_or_gives_a_reason() {
    let (contract, conventions) = (contract(), conventions());
    let named = named(&contract);
    let trials = trials(&repository::files());
    for trial in [
        "parity::scripts::script_shows_no_difference",
        "parity::defects::wrong_etag_is_found",
        "parity::crash::documents_survive_deaths",
    ] {
        assert!(trials.contains(trial), "`{trial}` was not found");
    }
    let scenarios = scenarios();
    let all = scenarios
        .into_iter()
        .chain(trials.iter().map(String::as_str));
    let idle: Vec<_> = all
        .filter(|test| !named.contains(test) && !conventions.contains(*test))
        .collect();
    assert!(
        idle.is_empty(),
        "`{CONTRACT}` names none of these: say there which sentence each proves, or below `conventions` why none: {idle:#?}"
    );
    let both: Vec<_> = conventions
        .iter()
        .filter(|test| named.contains(test.as_str()))
        .collect();
    assert!(
        both.is_empty(),
        "`{CONTRACT}` lists these both as proof of a sentence and as proof of none: {both:#?}"
    );
}

#[test]
fn every_named_test_exists() {
    let (contract, conventions) = (contract(), conventions());
    let scenarios = scenarios();
    let files = repository::files();
    let conventions = conventions.iter().map(String::as_str);
    for name in named(&contract).into_iter().chain(conventions) {
        let there = if name.starts_with(SUITE) {
            scenarios.contains(name)
        } else {
            is_there(&files, name)
        };
        assert!(there, "`{CONTRACT}` names `{name}`, which is not there");
    }
}

/// Whether a test program has this test: a function, a name in the table of a runner, or a name in
/// the list of a macro.
fn is_there(files: &[File], name: &str) -> bool {
    let (program, path) = name.split_once("::").unwrap();
    let mut modules: Vec<&str> = path.split("::").collect();
    let test = modules.pop().unwrap();
    let said = [
        format!("fn {test}("),
        format!("fn {test}<"),
        format!("\"{test}\""),
        format!("::{test}\""),
    ];
    files.iter().any(|file| {
        let below = PROGRAMS
            .iter()
            .find_map(|folder| file.path.strip_prefix(&format!("{folder}/{program}")));
        let Some(of_file) = below.and_then(modules_of_file) else {
            return false;
        };
        let is_said = said.iter().any(|said| file.text.contains(said));
        let is_part = of_file.first() == modules.first() || of_file.is_empty();
        let inner = modules.strip_prefix(of_file.as_slice());
        (is_said && is_part) || inner.is_some_and(|inner| is_listed(&file.text, inner, test))
    })
}

/// The module path of a file below the folder of a program.
fn modules_of_file(below: &str) -> Option<Vec<&str>> {
    let path = below.strip_suffix(".rs")?;
    if path.is_empty() || path == "/main" {
        return Some(Vec::new());
    }
    Some(path.strip_prefix('/')?.split('/').collect())
}

/// Whether a file lists a test as `module::test,` or `test,` for a macro that generates it in these
/// modules.
fn is_listed(text: &str, modules: &[&str], test: &str) -> bool {
    let is_it = |line: &str| {
        let listed = line.trim().strip_suffix(',');
        listed.is_some_and(|listed| listed.rsplit("::").next() == Some(test))
    };
    let has_modules = modules
        .iter()
        .all(|module| text.contains(&format!("mod {module} {{")));
    let has_macro = text.contains("macro_rules! ") || text.contains("scenarios! {");
    has_macro && has_modules && text.lines().any(is_it)
}

#[test]
fn every_sentence_has_a_test_that_runs_on_every_surface() {
    for sentence in contract() {
        let covered: BTreeSet<&String> = sentence.tests.values().flatten().collect();
        for surface in SURFACES {
            assert!(
                covered.contains(&surface.to_owned()),
                "`{}` has no test that runs on {surface}; code that is shared shows nothing of it",
                sentence.id
            );
        }
    }
}

#[test]
fn sentences_are_complete_and_have_unique_names() {
    let contract = contract();
    assert_eq!(contract.len(), 15);
    let ids: BTreeSet<&str> = contract.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), contract.len(), "a name stands twice: {ids:?}");
    for Sentence { id, sentence, .. } in &contract {
        let plain = id.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
        assert!(plain, "`{id}` is no name");
        assert!(
            sentence.ends_with('.') && sentence.contains(' '),
            "`{id}`: {sentence}"
        );
    }
}

#[test]
fn missing_test_is_detected() {
    let files = repository::files();
    for name in [
        "repository::texts::sentences_are_missed",
        "nowhere::every_named_test_exists",
        "repository::other::every_named_test_exists",
        "wm::usage::check_names_every_problem_without_secrets",
        "clouds::uploads::aws::elsewhere::upload_tampered_url",
        "clouds::uploads::aws::s3s::upload_oversize",
        "clouds::uploads::aws::s3s::uploads",
        "clouds::tokens::aws::s3s::upload_tampered_url",
    ] {
        assert!(!is_there(&files, name), "{name}");
    }
    for name in [
        "repository::contract::every_named_test_exists",
        "clouds::uploads::aws::s3s::upload_tampered_url",
        "clouds::front::aws::load_balancer::whole_journey_succeeds",
        "wm::selection::check_names_every_problem_without_secrets",
        "local::store::conformance::store_behaves_like_the_reference_database",
    ] {
        assert!(is_there(&files, name), "{name}");
    }
}

#[test]
fn surfaces_of_a_test_are_declared_in_one_way() {
    let on = |name: &str, test: &str| {
        let test: Value = serde_json::from_str(test).unwrap();
        surfaces(name, &test).len()
    };
    assert_eq!(on("suite::a::b", "{}"), 3);
    assert_eq!(on("parity::a::b", "{}"), 3);
    assert_eq!(on("parity::a::b", r#"{"surfaces": ["aws"]}"#), 1);
    assert_eq!(on("selection::a", r#"{"shared": true}"#), 0);
    for (name, test) in [
        ("suite::a::b", r#"{"shared": true}"#),
        ("suite::a::b", r#"{"surfaces": ["aws"]}"#),
        ("selection::a", "{}"),
        ("selection::a", r#"{"shared": false}"#),
        ("selection::a", r#"{"shared": true, "surfaces": ["aws"]}"#),
        ("selection::a", r#"{"surfaces": []}"#),
        ("selection::a", r#"{"surfaces": ["moon"]}"#),
    ] {
        let refused = std::panic::catch_unwind(|| on(name, test));
        assert!(refused.is_err(), "{name} {test}");
    }
}
