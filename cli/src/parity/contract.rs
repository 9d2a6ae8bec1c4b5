//! The sentences of the contract, and which tests prove each.

use std::collections::BTreeSet;

use serde::Deserialize;
use wm_core::catalog::Provider;

use super::Checkout;
use crate::failure::Failure;

/// Where the contract is. A checkout is known by it.
pub(crate) const CONTRACT: &str = "tests/contract.json";

/// The packages with programs of tests, and their folders.
const PACKAGES: [(&str, &str); 4] = [
    ("wm-tests", "tests"),
    ("wm", "cli"),
    ("wm-local", "local"),
    ("wm-core", "core"),
];

/// How the name of a scenario begins that every surface's program runs.
const SUITE: &str = "suite::";

/// What the application promises, sentence by sentence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contract {
    pub(crate) sentences: Vec<Sentence>,
}

/// One promise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sentence {
    /// A short name.
    pub(crate) id: String,
    /// The promise itself.
    pub(crate) sentence: String,
    /// What proves it.
    pub(crate) tests: Vec<Test>,
}

/// A test, and the surfaces it speaks of: all of them unless it says which.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    /// `program::path`, or `suite::module::scenario`.
    pub(crate) test: String,
    #[serde(default = "everywhere")]
    surfaces: Vec<Provider>,
}

fn everywhere() -> Vec<Provider> {
    Provider::ALL.to_vec()
}

impl Contract {
    /// The contract of a checkout.
    pub(crate) fn read(checkout: &Checkout) -> Result<Self, Failure> {
        serde_json::from_str(&checkout.read(CONTRACT)?).map_err(|error| {
            let message = format!("`{CONTRACT}` is no contract; mend it");
            Failure::because(message, error)
        })
    }

    /// The programs that run the tests.
    pub(crate) fn programs(&self) -> BTreeSet<&str> {
        let tests = self.sentences.iter().flat_map(|sentence| &sentence.tests);
        let places = tests.flat_map(|test| Provider::ALL.iter().filter_map(|one| test.on(*one)));
        places.map(|(program, _)| program).collect()
    }
}

impl Test {
    /// The program in which the test speaks of a surface, and its path there.
    pub(crate) fn on(&self, surface: Provider) -> Option<(&str, &str)> {
        if !self.surfaces.contains(&surface) {
            return None;
        }
        match self.test.strip_prefix(SUITE) {
            // The programs of the surfaces know scenarios by their own names.
            Some(scenario) => {
                let name = scenario.rsplit("::").next().unwrap_or(scenario);
                Some((surface.as_str(), name))
            }
            None => self.test.split_once("::"),
        }
    }
}

/// The package that a program of tests belongs to.
pub(crate) fn package(checkout: &Checkout, program: &str) -> Result<&'static str, Failure> {
    let is_there = |folder: &str| {
        checkout.has(&format!("{folder}/tests/{program}.rs"))
            || checkout.has(&format!("{folder}/tests/{program}/main.rs"))
    };
    let package = PACKAGES.iter().find(|(_, folder)| is_there(folder));
    package.map(|(name, _)| *name).ok_or_else(|| {
        Failure::new(format!(
            "`{CONTRACT}` names tests of `{program}`, and no package has such a program: name another"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_runs_in_the_program_of_each_surface_and_a_test_in_its_own() {
        let contract: Contract = serde_json::from_str(
            r#"{"sentences": [{"id": "a", "sentence": "A.", "tests": [
                {"test": "suite::journey::the_journey"},
                {"test": "aws_tokens::case_1", "surfaces": ["aws"]},
                {"test": "parity::replay::all"}]}]}"#,
        )
        .unwrap();
        let programs: Vec<_> = contract.programs().into_iter().collect();
        assert_eq!(programs, ["aws", "aws_tokens", "azure", "local", "parity"]);
        let [scenario, own, shared] = &contract.sentences[0].tests[..] else {
            panic!("{contract:?}")
        };
        assert_eq!(scenario.on(Provider::Azure), Some(("azure", "the_journey")));
        assert_eq!(own.on(Provider::Aws), Some(("aws_tokens", "case_1")));
        assert_eq!(own.on(Provider::Local), None);
        assert_eq!(shared.on(Provider::Local), Some(("parity", "replay::all")));
    }

    #[test]
    fn what_is_no_contract_is_refused() {
        for text in [
            r#"{"sentences": [{"id": "a", "sentence": "A."}]}"#,
            r#"{"sentences": [{"id": "a", "sentence": "A.", "tests": ["a::b"]}]}"#,
            r#"{"sentences": [], "more": 1}"#,
        ] {
            assert!(serde_json::from_str::<Contract>(text).is_err(), "{text}");
        }
    }
}
