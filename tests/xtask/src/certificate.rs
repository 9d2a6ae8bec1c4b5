//! The results of a run for each sentence of the contract and each surface.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wm_core::catalog::Provider;

use crate::{
    contract::{Contract, Sentence, Test},
    failure::Failure,
    results::{Results, Skip, Verdict},
};

/// The outcome of a test or a sentence on a surface. The greater outcome wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Outcome {
    /// The emulator cannot show it.
    #[serde(rename = "not shown")]
    NotShown,
    /// The test shows it.
    #[serde(rename = "passed")]
    Passed,
    /// The outcome is unknown.
    #[serde(rename = "did not run")]
    DidNotRun,
    /// The test shows the opposite.
    #[serde(rename = "failed")]
    Failed,
}

impl Outcome {
    /// The term in the certificate.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotShown => "not shown",
            Self::Passed => "passed",
            Self::DidNotRun => "did not run",
            Self::Failed => "failed",
        }
    }
}

/// By the name of the surface, or [`SHARED`]. Without an entry, the test does not run on that
/// surface.
pub(crate) type Outcomes = BTreeMap<&'static str, Outcome>;

/// The key for tests that run on no surface.
pub(crate) const SHARED: &str = "shared";

/// The whole certificate. It changes between runs only if an outcome does.
#[derive(Debug, Serialize)]
pub(crate) struct Certificate {
    pub(crate) sentences: Vec<Proved>,
    /// The skips of the emulators.
    pub(crate) not_shown: BTreeSet<Skip>,
    /// The programs without passed tests, and the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) doubts: BTreeMap<String, String>,
}

/// A sentence with its outcomes.
#[derive(Debug, Serialize)]
pub(crate) struct Proved {
    pub(crate) id: String,
    pub(crate) sentence: String,
    pub(crate) outcomes: Outcomes,
    pub(crate) tests: Vec<Tested>,
}

/// A test with its outcomes.
#[derive(Debug, Serialize)]
pub(crate) struct Tested {
    pub(crate) test: String,
    pub(crate) outcomes: Outcomes,
}

/// The reference in memory runs the suite too and is not a surface.
const REFERENCE: &str = "memory";

impl Certificate {
    /// The certificate of a run.
    pub(crate) fn new(contract: &Contract, results: &Results) -> Self {
        let programs = contract.programs();
        let doubts = programs.iter().filter_map(|program| {
            let doubt = results.doubt(program)?;
            Some(((*program).to_owned(), doubt))
        });
        Self {
            doubts: doubts.collect(),
            sentences: contract
                .sentences
                .iter()
                .map(|one| proved(one, results))
                .collect(),
            not_shown: programs
                .iter()
                .flat_map(|program| results.skips(program))
                .filter(|skip| skip.surface != REFERENCE)
                .cloned()
                .collect(),
        }
    }

    /// The certificate as JSON.
    pub(crate) fn json(&self) -> Result<String, Failure> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n")
            .map_err(|error| Failure::because("the certificate cannot be written as JSON", error))
    }

    /// Fails unless every sentence is shown on every surface. The error names the others.
    pub(crate) fn ensure_proved(&self) -> Result<(), Failure> {
        let missing: Vec<String> = self.sentences.iter().flat_map(Proved::missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the contract is not shown: {}; fix the tests of these sentences, or run the missing ones",
            missing.join(", ")
        )))
    }
}

impl Proved {
    fn missing(&self) -> impl Iterator<Item = String> {
        let outcomes = self.outcomes.iter();
        let on_surfaces = outcomes.filter(|(surface, _)| **surface != SHARED);
        let missing = on_surfaces.filter(|(_, outcome)| **outcome != Outcome::Passed);
        missing.map(|(surface, outcome)| {
            let word = outcome.as_str();
            format!("`{}` on {surface} ({word})", self.id)
        })
    }
}

fn proved(sentence: &Sentence, results: &Results) -> Proved {
    let tests: Vec<Tested> = sentence
        .tests
        .iter()
        .map(|one| tested(one, results))
        .collect();
    let of = |place: &str| {
        let outcomes = tests.iter().filter_map(|one| one.outcomes.get(place));
        outcomes.max().copied()
    };
    let shared = of(SHARED);
    // One passed test shows a sentence on a surface, as long as none fails and none is missing.
    // Tests of shared code show nothing on a surface, and their failure fails the sentence on all.
    let on = |surface: &Provider| {
        let own = of(surface.as_str()).unwrap_or(Outcome::DidNotRun);
        let broken = shared.filter(|outcome| *outcome > Outcome::Passed);
        (
            surface.as_str(),
            broken.map_or(own, |broken| broken.max(own)),
        )
    };
    let outcomes = Provider::ALL.iter().map(on);
    Proved {
        id: sentence.id.clone(),
        sentence: sentence.sentence.clone(),
        outcomes: outcomes
            .chain(shared.map(|outcome| (SHARED, outcome)))
            .collect(),
        tests,
    }
}

fn tested(test: &Test, results: &Results) -> Tested {
    let of = |surface: &Provider| {
        let (program, path) = test.on(*surface)?;
        let outcome = outcome(results, program, &path, surface.as_str());
        Some((surface.as_str(), outcome))
    };
    let shared = test.shared();
    let shared = shared.map(|(program, path)| (SHARED, outcome(results, program, &path, SHARED)));
    let outcomes = Provider::ALL.iter().filter_map(of);
    Tested {
        test: test.test.clone(),
        outcomes: outcomes.chain(shared).collect(),
    }
}

fn outcome(results: &Results, program: &str, path: &str, surface: &str) -> Outcome {
    match results.verdict(program, path) {
        Some(Verdict::Failed) => Outcome::Failed,
        Some(Verdict::Unfinished) | None => Outcome::DidNotRun,
        Some(Verdict::Passed) => {
            let mut skips = results.skips(program);
            if skips.any(|skip| skip.surface == surface && is_about(&skip.scenario, path)) {
                Outcome::NotShown
            } else {
                Outcome::Passed
            }
        }
    }
}

/// Whether a skip refers to a test, by its full name or by the case at the start of its name.
fn is_about(scenario: &str, path: &str) -> bool {
    let name = path.rsplit("::").next().unwrap_or(path);
    let scenario = scenario.rsplit("::").next().unwrap_or(scenario);
    let rest = name.strip_prefix(scenario);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{ran, results};

    const CONTRACT: &str = r#"{"sentences": [
        {"id": "all", "sentence": "All.", "tests": [{"test": "suite::a::case_1_is_shown"}]},
        {"id": "some", "sentence": "Some.", "tests": [
            {"test": "suite::a::case_2_is_not"},
            {"test": "parity::replay::case_3_is_shown", "surfaces": ["local", "azure"]}]}]}"#;

    /// The output lines of a suite with these results on each surface.
    fn suite(said: &[(&str, &str)]) -> String {
        let on =
            |(surface, said): &(&str, &str)| said.replace("test ", &format!("test {surface}::"));
        ran("suite", &said.iter().map(on).collect::<String>())
    }

    fn run(aws: &str) -> Results {
        let both = "test case_1_is_shown ... ok\ntest case_2_is_not ... ok\n";
        let skipped = "test replay::case_3_is_shown ... ok\nskip 1 on aws: z: y\n";
        results(
            &[
                suite(&[("local", both), ("aws", aws), ("azure", both)]),
                ran("parity", skipped),
                ran("other", "skip 2 on aws: of no program that is named: x\n"),
            ]
            .concat(),
        )
    }

    fn certificate(aws: &str) -> Certificate {
        Certificate::new(&serde_json::from_str(CONTRACT).unwrap(), &run(aws))
    }

    #[test]
    fn passed_test_shows_a_sentence() {
        let shown = certificate("test case_1_is_shown ... ok\ntest case_2_is_not ... ok\n");
        shown.ensure_proved().unwrap();
        let some = &shown.sentences[1];
        assert_eq!(some.tests[1].outcomes.len(), 2);
        assert!(some.outcomes.values().all(|one| *one == Outcome::Passed));
        // Programs that the contract does not name are ignored.
        assert_eq!(shown.not_shown.len(), 1);
    }

    #[test]
    fn skip_is_not_shown_and_failure_outweighs_passed_tests() {
        for (said, word) in [
            (
                "skip 7 on aws: case_2: cannot\ntest case_2_is_not ... ok\n",
                "not shown",
            ),
            ("test case_2_is_not ... FAILED\n", "failed"),
            ("test case_2_is_not ... ignored\n", "did not run"),
            ("", "did not run"),
        ] {
            let said = format!("test case_1_is_shown ... ok\n{said}");
            let failure = certificate(&said).ensure_proved().unwrap_err().to_string();
            let expected = format!("not shown: `some` on aws ({word});");
            assert!(failure.contains(&expected), "{failure}");
        }
    }

    #[test]
    fn passed_surface_does_not_replace_a_missing_one() {
        let shared = r#"{"sentences": [{"id": "some", "sentence": "Some.", "tests": [
            {"test": "parity::replay::case_3_is_shown"}, {"test": "suite::a::case_1_is_shown"}]}]}"#;
        let contract = serde_json::from_str(shared).unwrap();
        let shown = Certificate::new(&contract, &run(""));
        let failure = shown.ensure_proved().unwrap_err().to_string();
        assert!(
            failure.contains("not shown: `some` on aws (did not run);"),
            "{failure}"
        );
    }

    /// A sentence with a test on every surface and one on none.
    const SHARING: &str = r#"{"sentences": [{"id": "some", "sentence": "Some.", "tests": [
        {"test": "suite::a::case_1_is_shown"}, {"test": "tokens::all", "shared": true}]}]}"#;

    #[test]
    fn shared_test_proves_no_surface_and_its_failure_fails_all() {
        let passed = "test case_1_is_shown ... ok\n";
        let contract = serde_json::from_str(SHARING).unwrap();
        for (azure, tokens, outcomes) in [
            (passed, "test all ... ok\n", ["passed", "passed", "passed"]),
            ("", "test all ... ok\n", ["passed", "did not run", "passed"]),
            (
                "skip 1 on azure: case_1: cannot\ntest case_1_is_shown ... ok\n",
                "test all ... ok\n",
                ["passed", "not shown", "passed"],
            ),
            (passed, "test all ... FAILED\n", ["failed"; 3]),
            (passed, "", ["did not run"; 3]),
        ] {
            let surfaces = suite(&[("local", passed), ("aws", passed), ("azure", azure)]);
            let run = results(&(surfaces + &ran("tokens", tokens)));
            let shown = Certificate::new(&contract, &run);
            let [some] = &shown.sentences[..] else {
                panic!("{shown:?}")
            };
            let of = |place: &str| some.outcomes[place].as_str();
            assert_eq!(["aws", "azure", "local"].map(of), outcomes, "{tokens}");
            assert_eq!(some.tests[1].outcomes.len(), 1);
            assert_eq!(some.outcomes.len(), 4);
            assert_eq!(shown.ensure_proved().is_ok(), outcomes == ["passed"; 3]);
        }
        let none = r#"{"sentences": [{"id": "some", "sentence": "Some.", "tests": [
            {"test": "tokens::all", "shared": true}]}]}"#;
        let run = results(&ran("tokens", "test all ... ok\n"));
        let shown = Certificate::new(&serde_json::from_str(none).unwrap(), &run);
        let failure = shown.ensure_proved().unwrap_err().to_string();
        assert!(!failure.contains("shared"), "{failure}");
        assert_eq!(failure.matches("did not run)").count(), 3, "{failure}");
    }

    #[test]
    fn program_in_doubt_has_no_passed_tests() {
        let contract = serde_json::from_str(CONTRACT).unwrap();
        let passed = "test case_1_is_shown ... ok\ntest case_2_is_not ... ok\n";
        let text = suite(&["local", "aws", "azure"].map(|surface| (surface, passed)));
        let text = text + &ran("parity", "test replay::case_3_is_shown ... ok\n");
        let shown = Certificate::new(&contract, &results(&text));
        shown.ensure_proved().unwrap();
        assert!(!shown.json().unwrap().contains("doubts"));
        let (cut, _) = text.rsplit_once("{\"program\"").unwrap();
        let shown = Certificate::new(&contract, &results(cut));
        assert!(shown.doubts["parity"].contains("did not end"));
        assert!(shown.page().contains("\n* `parity`: it did not end"));
        assert!(shown.json().unwrap().contains("doubts"));
        shown.ensure_proved().unwrap_err();
    }

    #[test]
    fn skip_names_a_test_by_its_case_or_in_full() {
        assert!(is_about("case_4", "case_4_of_many"));
        assert!(is_about("case_4_of_many", "replay::case_4_of_many"));
        assert!(is_about("attacks::upload_expired", "upload_expired"));
        assert!(!is_about("case_4", "case_42_of_many"));
        assert!(!is_about("an address", "case_4_of_many"));
    }
}
