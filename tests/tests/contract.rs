//! `tests/contract.json` names every scenario of the suite, and only tests that there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wm_tests::repository::{self, File};

const CONTRACT: &str = "tests/contract.json";
const SURFACES: [&str; 3] = ["local", "aws", "azure"];
/// How the name of a scenario begins.
const SUITE: &str = "suite::";
/// Where packages keep their programs of tests.
const PROGRAMS: [&str; 4] = ["tests/tests", "cli/tests", "local/tests", "core/tests"];

macro_rules! names {
    ($($module:ident::$name:ident,)*) => {
        [$(concat!("suite::", stringify!($module), "::", stringify!($name)),)*]
    };
}

/// Every scenario of the suite.
fn scenarios() -> BTreeSet<&'static str> {
    wm_tests::for_each_scenario!(names).into()
}

/// A sentence of the contract, and the surfaces each of its tests speaks of.
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
            let surfaces = surfaces(&name, test.get("surfaces"));
            let twice = read.tests.insert(name.clone(), surfaces);
            assert!(twice.is_none(), "`{}` names `{name}` twice", read.id);
        }
        read
    }
}

/// The surfaces that a test speaks of: all unless it says which, and a scenario always all.
fn surfaces(name: &str, named: Option<&Value>) -> BTreeSet<String> {
    let Some(named) = named else {
        return SURFACES.map(str::to_owned).into();
    };
    assert!(
        !name.starts_with(SUITE),
        "`{name}` runs on every surface: leave `surfaces` out"
    );
    let named = named.as_array().unwrap().iter();
    let named: BTreeSet<String> = named
        .map(|surface| surface.as_str().unwrap().to_owned())
        .collect();
    let are_known = named
        .iter()
        .all(|surface| SURFACES.contains(&surface.as_str()));
    assert!(
        are_known && !named.is_empty() && named.len() < SURFACES.len(),
        "`{name}` speaks of {named:?}: name some surfaces, or leave `surfaces` out for all"
    );
    named
}

fn contract() -> Vec<Sentence> {
    let text = std::fs::read_to_string(repository::root().join(CONTRACT)).unwrap();
    let contract: Value = serde_json::from_str(&text).unwrap();
    let sentences = contract["sentences"].as_array().unwrap();
    sentences.iter().map(Sentence::read).collect()
}

/// The tests that the contract names.
fn named(contract: &[Sentence]) -> BTreeSet<&str> {
    let names = contract.iter().flat_map(|sentence| sentence.tests.keys());
    names.map(String::as_str).collect()
}

#[test]
fn every_scenario_proves_a_sentence() {
    let contract = contract();
    let named = named(&contract);
    let scenarios = scenarios();
    let idle: Vec<_> = scenarios.difference(&named).collect();
    assert!(
        idle.is_empty(),
        "`{CONTRACT}` names none of these: say there which sentence each proves: {idle:#?}"
    );
}

#[test]
fn every_test_that_is_named_is_there() {
    let contract = contract();
    let scenarios = scenarios();
    let files = repository::files();
    for name in named(&contract) {
        let there = if name.starts_with(SUITE) {
            scenarios.contains(name)
        } else {
            is_there(&files, name)
        };
        assert!(there, "`{CONTRACT}` names `{name}`, which is not there");
    }
}

/// Whether a program of tests has a test of this name: in its own words, or in a table of a runner's.
fn is_there(files: &[File], name: &str) -> bool {
    let (program, path) = name.split_once("::").unwrap();
    let (modules, test) = path.rsplit_once("::").unwrap_or(("", path));
    let said = [
        format!("fn {test}("),
        format!("\"{test}\""),
        format!("::{test}\""),
    ];
    let is_of = |file: &&File| {
        let below = PROGRAMS
            .iter()
            .find_map(|folder| file.path.strip_prefix(&format!("{folder}/{program}")));
        below
            .is_some_and(|below| below == ".rs" || below == "/main.rs" || is_module(below, modules))
    };
    let mut of_it = files.iter().filter(is_of);
    of_it.any(|file| said.iter().any(|said| file.text.contains(said)))
}

/// Whether a file below a program's folder is its first module of these, or a part of that.
fn is_module(below: &str, modules: &str) -> bool {
    let first = modules.split("::").next().unwrap();
    let rest = below.strip_prefix(&format!("/{first}"));
    !first.is_empty() && rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[test]
fn every_sentence_has_a_test_on_every_surface() {
    for sentence in contract() {
        let spoken: BTreeSet<&String> = sentence.tests.values().flatten().collect();
        for surface in SURFACES {
            assert!(
                spoken.contains(&surface.to_owned()),
                "`{}` has no test that speaks of {surface}",
                sentence.id
            );
        }
    }
}

#[test]
fn sentences_are_sentences_with_names_of_their_own() {
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
fn a_test_that_is_not_there_is_missed() {
    let files = repository::files();
    for name in [
        "texts::sentences_are_missed",
        "nowhere::every_scenario_proves_a_sentence",
        "docs::other::a_test_of_no_module",
        "wm::usage::check_names_every_problem_and_repeats_no_secret",
    ] {
        assert!(!is_there(&files, name), "{name}");
    }
    for name in [
        "contract::every_scenario_proves_a_sentence",
        "wm::selection::check_names_every_problem_and_repeats_no_secret",
        "store::conformance::the_store_does_what_the_reference_does",
    ] {
        assert!(is_there(&files, name), "{name}");
    }
}
