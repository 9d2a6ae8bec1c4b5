//! The sentences of the contract, and the tests that prove each.

use std::collections::BTreeSet;

use serde::{Deserialize, de::IgnoredAny};
use wm_core::catalog::Provider;

use crate::{
    checkout::{CONTRACT, Checkout},
    failure::Failure,
};

/// The packages with test programs, and their folders.
const PACKAGES: [(&str, &str); 5] = [
    ("wm-tests", "tests"),
    ("wm", "cli"),
    ("xtask", "tests/xtask"),
    ("wm-local", "local"),
    ("wm-core", "core"),
];

/// The program of the conformance suite, which runs every scenario on every surface.
const SUITE_PROGRAM: &str = "suite";
/// The prefix of scenario names.
const SUITE: &str = "suite::";
/// The prefix of tests that compare all surfaces.
const SIDE_BY_SIDE: &str = "parity::";

/// The promises of the application, as sentences.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contract {
    pub(crate) sentences: Vec<Sentence>,
    /// Scenarios that prove no sentence. They run without a certificate.
    #[serde(default, rename = "conventions")]
    _conventions: Vec<IgnoredAny>,
}

/// One promise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sentence {
    /// A short name.
    pub(crate) id: String,
    /// The text of the promise.
    pub(crate) sentence: String,
    /// The tests that prove it.
    pub(crate) tests: Vec<Test>,
}

/// A test with its surfaces.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Named")]
pub(crate) struct Test {
    /// `program::path`, or `suite::module::scenario`.
    pub(crate) test: String,
    /// The surfaces of the test. Empty for a test of shared code.
    surfaces: Vec<Provider>,
}

/// A test as the contract names it. Scenarios and comparisons of surfaces run on all surfaces.
/// Every other test names its surfaces, or declares that it tests shared code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    test: String,
    surfaces: Option<Vec<Provider>>,
    #[serde(default)]
    shared: bool,
}

impl TryFrom<Named> for Test {
    type Error = String;

    fn try_from(named: Named) -> Result<Self, String> {
        let Named {
            test,
            surfaces,
            shared,
        } = named;
        let is_everywhere = test.starts_with(SUITE) || test.starts_with(SIDE_BY_SIDE);
        let surfaces = match surfaces {
            Some(surfaces) if !shared && !surfaces.is_empty() && !test.starts_with(SUITE) => {
                surfaces
            }
            None if shared && !test.starts_with(SUITE) => Vec::new(),
            None if !shared && is_everywhere => Provider::ALL.to_vec(),
            _ => {
                return Err(format!(
                    "`{test}` needs one of `surfaces` and `\"shared\": true`: name the surfaces on which it runs, or \
                     declare that it runs on none; a scenario needs neither"
                ));
            }
        };
        Ok(Self { test, surfaces })
    }
}

impl Contract {
    /// Reads the contract of a checkout.
    pub(crate) fn read(checkout: &Checkout) -> Result<Self, Failure> {
        serde_json::from_str(&checkout.read(CONTRACT)?).map_err(|error| {
            let message = format!("`{CONTRACT}` is invalid; correct it");
            Failure::because(message, error)
        })
    }

    /// The programs that run the tests.
    pub(crate) fn programs(&self) -> BTreeSet<&str> {
        let tests = self.sentences.iter().flat_map(|sentence| &sentence.tests);
        let places = tests.flat_map(|test| {
            let surfaces = Provider::ALL.iter().filter_map(|one| test.on(*one));
            surfaces.chain(test.shared())
        });
        places.map(|(program, _)| program).collect()
    }
}

impl Test {
    /// The program and the path of a test that runs on no surface.
    pub(crate) fn shared(&self) -> Option<(&str, String)> {
        let runs_nowhere = self.surfaces.is_empty();
        runs_nowhere.then(|| self.own()).flatten()
    }

    /// The program and the path of a test on a surface.
    pub(crate) fn on(&self, surface: Provider) -> Option<(&str, String)> {
        if !self.surfaces.contains(&surface) {
            return None;
        }
        match self.test.strip_prefix(SUITE) {
            // The program has a module for each surface, which contains the scenarios.
            Some(scenario) => {
                let name = scenario.rsplit("::").next().unwrap_or(scenario);
                Some((SUITE_PROGRAM, format!("{}::{name}", surface.as_str())))
            }
            None => self.own(),
        }
    }

    fn own(&self) -> Option<(&str, String)> {
        let (program, path) = self.test.split_once("::")?;
        Some((program, path.to_owned()))
    }
}

/// The package of a test program.
pub(crate) fn package(checkout: &Checkout, program: &str) -> Result<&'static str, Failure> {
    let is_there = |folder: &str| {
        checkout.has(&format!("{folder}/tests/{program}.rs"))
            || checkout.has(&format!("{folder}/tests/{program}/main.rs"))
    };
    let package = PACKAGES.iter().find(|(_, folder)| is_there(folder));
    package.map(|(name, _)| *name).ok_or_else(|| {
        Failure::new(format!(
            "`{CONTRACT}` names tests of `{program}`, but no package has this test program: correct the name"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_runs_once_per_surface_and_test_in_its_program() {
        let contract: Contract = serde_json::from_str(
            r#"{"sentences": [{"id": "a", "sentence": "A.", "tests": [
                {"test": "suite::journey::the_journey"},
                {"test": "clouds::case_1", "surfaces": ["aws"]},
                {"test": "parity::replay::all"},
                {"test": "parity::replay::one", "surfaces": ["local"]},
                {"test": "wm::selection::all", "shared": true}]}],
                "conventions": [{"test": "suite::journey::other", "reason": "It is a habit."}]}"#,
        )
        .unwrap();
        let programs: Vec<_> = contract.programs().into_iter().collect();
        assert_eq!(programs, ["clouds", "parity", "suite", "wm"]);
        let [scenario, own, all, one, shared] = &contract.sentences[0].tests[..] else {
            panic!("{contract:?}")
        };
        let of = |program, path: &str| Some((program, path.to_owned()));
        assert_eq!(
            scenario.on(Provider::Azure),
            of("suite", "azure::the_journey")
        );
        assert_eq!(own.on(Provider::Aws), of("clouds", "case_1"));
        assert_eq!(own.on(Provider::Local), None);
        assert_eq!(all.on(Provider::Local), of("parity", "replay::all"));
        assert_eq!(one.on(Provider::Local), of("parity", "replay::one"));
        assert_eq!(one.on(Provider::Aws), None);
        assert_eq!(one.shared(), None);
        assert_eq!(shared.on(Provider::Local), None);
        assert_eq!(shared.shared(), of("wm", "selection::all"));
    }

    #[test]
    fn test_declares_its_surfaces() {
        for test in [
            r#"{"test": "tokens::case_1"}"#,
            r#"{"test": "tokens::case_1", "surfaces": []}"#,
            r#"{"test": "tokens::case_1", "surfaces": ["aws"], "shared": true}"#,
            r#"{"test": "suite::a::b", "surfaces": ["aws"]}"#,
            r#"{"test": "suite::a::b", "shared": true}"#,
        ] {
            let failure = serde_json::from_str::<Test>(test).unwrap_err().to_string();
            assert!(failure.contains("needs one of `surfaces`"), "{failure}");
        }
    }

    #[test]
    fn invalid_contract_is_refused() {
        for text in [
            r#"{"sentences": [{"id": "a", "sentence": "A."}]}"#,
            r#"{"sentences": [{"id": "a", "sentence": "A.", "tests": ["a::b"]}]}"#,
            r#"{"sentences": [], "more": 1}"#,
        ] {
            assert!(serde_json::from_str::<Contract>(text).is_err(), "{text}");
        }
    }
}
