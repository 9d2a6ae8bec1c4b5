//! The results of a test run, read from the JSON lines of the test programs and their runner.
//!
//! A test has passed if it reports so and its program ended well. A program is in doubt if it did
//! not end, or if its recorded tests do not explain its exit code. No test of a program in doubt
//! has passed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Serialize;
use wm_test_results::{EXTENSION, Event, Line};

use crate::{failure::Failure, run::RECORD};

/// The exit code of libtest and libtest-mimic if all tests ran and some failed.
const TESTS_FAILED: i32 = 101;

/// The outcome of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Passed,
    /// It started and did not end.
    Unfinished,
    Failed,
}

/// A skip because of the emulators of a surface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Skip {
    pub(crate) surface: String,
    /// The test or its case, or the description of a known limitation.
    pub(crate) scenario: String,
    pub(crate) reason: String,
}

/// The results of a test run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    programs: BTreeMap<String, Program>,
}

#[derive(Debug, Default)]
struct Program {
    tests: BTreeMap<String, Test>,
    skips: BTreeSet<Skip>,
    /// The exit code of each run. A program and the unit tests of its package may have the same
    /// name.
    ends: Vec<Option<i32>>,
}

#[derive(Debug, Default)]
struct Test {
    started: usize,
    passed: usize,
    failed: usize,
}

impl Results {
    /// Reads every result file in a directory, in any order.
    pub(crate) fn read(directory: &Path) -> Result<Self, Failure> {
        let unreadable = |path: &Path, error: std::io::Error| {
            let path = path.display();
            let message = format!("`{path}` cannot be read; record a run with `{RECORD}`");
            Failure::because(message, error)
        };
        let mut results = Self::default();
        let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, error))?;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(directory, error))?.path();
            if path.extension().is_some_and(|found| found == EXTENSION) {
                let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
                results.take(&path, &text)?;
            }
        }
        Ok(results)
    }

    /// Adds the lines of one file.
    fn take(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        for (number, line) in (1..).zip(text.lines()) {
            let line = serde_json::from_str(line).map_err(|error| {
                let path = path.display();
                let message = format!(
                    "line {number} of `{path}` is not a test result; record a run with `{RECORD}`"
                );
                Failure::because(message, error)
            })?;
            self.add(line);
        }
        Ok(())
    }

    fn add(&mut self, line: Line) {
        let program = self.programs.entry(line.program).or_default();
        match line.event {
            Event::Started { test: name } => program.test(name).started += 1,
            Event::Passed { test: name } => program.test(name).passed += 1,
            Event::Failed { test: name } => program.test(name).failed += 1,
            Event::Skipped {
                surface,
                test: scenario,
                reason,
            }
            | Event::KnownLimitation {
                surface,
                test: scenario,
                reason,
            } => {
                program.skips.insert(Skip {
                    surface,
                    scenario,
                    reason,
                });
            }
            Event::Ended { code } => program.ends.push(code),
        }
    }

    /// Whether no test ran at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.programs
            .values()
            .all(|program| program.tests.is_empty())
    }

    /// The outcome of a test. `None` if it did not run, or if it passed in a program that is in
    /// doubt.
    pub(crate) fn verdict(&self, program: &str, test: &str) -> Option<Verdict> {
        let program = self.programs.get(program)?;
        let verdict = program.tests.get(test)?.verdict();
        let counts = verdict != Verdict::Passed || program.doubt().is_none();
        counts.then_some(verdict)
    }

    /// The reason why no test of a program counts as passed.
    pub(crate) fn doubt(&self, program: &str) -> Option<String> {
        self.programs.get(program)?.doubt()
    }

    pub(crate) fn skips(&self, program: &str) -> impl Iterator<Item = &Skip> {
        let program = self.programs.get(program);
        program.into_iter().flat_map(|program| &program.skips)
    }
}

impl Program {
    fn test(&mut self, name: String) -> &mut Test {
        self.tests.entry(name).or_default()
    }

    fn doubt(&self) -> Option<String> {
        let count = |verdict| {
            let verdicts = self.tests.values().map(Test::verdict);
            verdicts.filter(|found| *found == verdict).count()
        };
        let (unfinished, failed) = (count(Verdict::Unfinished), count(Verdict::Failed));
        if self.tests.is_empty() {
            return None;
        }
        if self.ends.is_empty() {
            return Some("it did not end".into());
        }
        if unfinished > 0 {
            return Some(format!("{unfinished} tests started and did not end"));
        }
        let abnormal = |code: &&Option<i32>| !matches!(code, Some(0 | TESTS_FAILED));
        match self.ends.iter().find(abnormal) {
            Some(Some(code)) => return Some(format!("it ended with exit code {code}")),
            Some(None) => return Some("a signal ended it".into()),
            None => {}
        }
        match (self.ends.contains(&Some(TESTS_FAILED)), failed) {
            (true, 0) => Some("a test that records no result failed".into()),
            (false, 1..) => Some(format!(
                "it ended with exit code 0, but {failed} tests failed"
            )),
            (true, 1..) | (false, 0) => None,
        }
    }
}

impl Test {
    fn verdict(&self) -> Verdict {
        if self.failed > 0 {
            Verdict::Failed
        } else if self.passed < self.started {
            Verdict::Unfinished
        } else {
            Verdict::Passed
        }
    }
}

/// Results in the format of a run.
#[cfg(test)]
pub(crate) fn results(lines: &str) -> Results {
    let mut results = Results::default();
    results.take(Path::new("sample.jsonl"), lines).unwrap();
    results
}

/// The lines of a program that ran these tests and ended: `test NAME ... ok`, `... FAILED` or `...
/// ignored`, `skip NUMBER on SURFACE: TEST: REASON`.
#[cfg(test)]
pub(crate) fn ran(program: &str, said: &str) -> String {
    let line = |event| {
        let program = program.to_owned();
        serde_json::to_string(&Line { program, event }).unwrap() + "\n"
    };
    let code = if said.contains("FAILED") { 101 } else { 0 };
    let mut lines = String::new();
    for said in said.lines() {
        if let Some((_, skip)) = said.split_once(" on ") {
            let [surface, test, reason] = skip.splitn(3, ": ").collect::<Vec<_>>()[..] else {
                panic!("{said}")
            };
            let [surface, test, reason] = [surface, test, reason].map(str::to_owned);
            lines += &line(Event::Skipped {
                surface,
                test,
                reason,
            });
            continue;
        }
        let (test, verdict) = said
            .strip_prefix("test ")
            .unwrap()
            .split_once(" ... ")
            .unwrap();
        let [started, test] = [test, test].map(str::to_owned);
        if verdict == "ignored" {
            continue;
        }
        lines += &line(Event::Started { test: started });
        lines += &line(match verdict {
            "ok" => Event::Passed { test },
            _ => Event::Failed { test },
        });
    }
    lines + &line(Event::Ended { code: Some(code) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = r#"
{"program":"aws","outcome":"started","test":"case_33_a_grant_ends"}
{"program":"aws","outcome":"started","test":"module::inner"}
{"program":"aws","outcome":"skipped","surface":"aws","test":"case_33","reason":"the clock is the machine's"}
{"program":"aws","outcome":"passed","test":"module::inner"}
{"program":"aws","outcome":"started","test":"broken"}
{"program":"aws","outcome":"known limitation","surface":"aws","test":"an address","reason":"it is s3:GetObject: no other"}
{"program":"aws","outcome":"failed","test":"broken"}
{"program":"aws","outcome":"passed","test":"case_33_a_grant_ends"}
{"program":"aws","outcome":"ended","code":101}
"#;

    const END: &str = r#"{"program":"aws","outcome":"ended","code":101}"#;

    fn run() -> String {
        RUN.trim_start().to_owned()
    }

    #[test]
    fn interleaved_results_are_read() {
        let read = results(&run());
        for (test, verdict) in [
            ("case_33_a_grant_ends", Some(Verdict::Passed)),
            ("module::inner", Some(Verdict::Passed)),
            ("broken", Some(Verdict::Failed)),
            ("left_out", None),
        ] {
            assert_eq!(read.verdict("aws", test), verdict, "{test}");
        }
        assert_eq!(read.verdict("azure", "broken"), None);
        let skips: Vec<_> = read.skips("aws").collect();
        assert_eq!(skips.len(), 2);
        assert_eq!(skips[0].scenario, "an address");
        assert_eq!(skips[0].reason, "it is s3:GetObject: no other");
        assert_eq!(skips[1].scenario, "case_33");
        assert_eq!(read.skips("azure").count(), 0);
        assert_eq!(read.doubt("aws"), None);
    }

    #[test]
    fn test_passes_only_in_a_program_that_ended_as_recorded() {
        let end = "\"ended\",\"code\":101";
        let unfinished = r#"{"program":"aws","outcome":"started","test":"cut_short"}"#;
        let without_failure = run().replace("\"outcome\":\"failed\"", "\"outcome\":\"passed\"");
        let (cut, _) = run().rsplit_once("{\"program\"").map(owned).unwrap();
        for (text, why) in [
            (cut, "it did not end"),
            (
                format!("{}{unfinished}\n", run()),
                "1 tests started and did not end",
            ),
            (
                without_failure.clone(),
                "a test that records no result failed",
            ),
            (
                run().replace(end, "\"ended\",\"code\":0"),
                "it ended with exit code 0, but 1 tests failed",
            ),
            (
                without_failure.replace(end, "\"ended\",\"code\":2"),
                "it ended with exit code 2",
            ),
            (
                run().replace(end, "\"ended\",\"code\":null"),
                "a signal ended it",
            ),
            // The unit tests of its package failed.
            (
                without_failure.replace(end, "\"ended\",\"code\":0") + END,
                "a test that records no result failed",
            ),
        ] {
            let read = results(&text);
            assert_eq!(read.doubt("aws").as_deref(), Some(why), "{text}");
            assert_eq!(read.verdict("aws", "module::inner"), None, "{why}");
            assert_eq!(read.doubt("other"), None);
        }
    }

    fn owned((left, right): (&str, &str)) -> (String, String) {
        (left.to_owned(), right.to_owned())
    }

    #[test]
    fn failure_counts_in_doubt_and_beside_a_pass() {
        let text = run().replace("101", "2") + &ran("aws", "test broken ... ok");
        let read = results(&text);
        assert!(read.doubt("aws").is_some());
        assert_eq!(read.verdict("aws", "broken"), Some(Verdict::Failed));
    }

    #[test]
    fn program_without_recorded_tests_is_not_in_doubt() {
        let read = results(&END.replace("aws", "wm_core"));
        assert_eq!(read.doubt("wm_core"), None);
        assert!(read.is_empty());
    }

    #[test]
    fn malformed_results_are_refused() {
        for text in [
            "test a ... ok",
            "{}",
            r#"{"program":"aws","outcome":"fine","test":"a"}"#,
            r#"{"program":"aws","outcome":"passed"}"#,
        ] {
            let refused = Results::default().take(Path::new("some.jsonl"), text);
            let message = refused.unwrap_err().to_string();
            assert!(message.contains("line 1 of `some.jsonl`"), "{message}");
        }
    }
}
