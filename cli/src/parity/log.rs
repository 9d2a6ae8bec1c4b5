//! The output of a test run, read back.
//!
//! Cargo names each program before it runs it, libtest each test with its verdict, and the tests say on the
//! standard error what a surface could not show. Where tests run one by one, libtest writes a test's name
//! before it begins and the verdict when it ends, so that all the test says stands between the two.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Serialize;

/// What came of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It was left out.
    Ignored,
    /// It did what it should.
    Passed,
    /// It did not.
    Failed,
}

/// What a stand-in could not show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Skip {
    /// Where.
    pub(crate) surface: String,
    /// What.
    pub(crate) scenario: String,
    /// Why.
    pub(crate) reason: String,
}

/// A test run.
#[derive(Debug, Default)]
pub(crate) struct Log {
    verdicts: BTreeMap<(String, String), Verdict>,
    skips: BTreeSet<(String, Skip)>,
}

impl Log {
    /// Reads what `cargo test` printed, both of its outputs together.
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader::default();
        for line in text.lines() {
            reader.line(line);
        }
        reader.log
    }

    /// Whether no test ran at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// What came of a test of a program.
    pub(crate) fn verdict(&self, program: &str, test: &str) -> Option<Verdict> {
        let place = (program.to_owned(), test.to_owned());
        self.verdicts.get(&place).copied()
    }

    /// What could not be shown by a program.
    pub(crate) fn skips(&self, program: &str) -> impl Iterator<Item = &Skip> {
        let of_it = self.skips.iter().filter(move |(by, _)| by == program);
        of_it.map(|(_, skip)| skip)
    }

    /// The worst verdict counts where a test has several.
    fn note(&mut self, program: &str, test: &str, verdict: Verdict) {
        let place = (program.to_owned(), test.to_owned());
        let noted = self.verdicts.entry(place).or_insert(verdict);
        *noted = verdict.max(*noted);
    }
}

#[derive(Default)]
struct Reader {
    log: Log,
    /// The program that runs; none while documentation or tests inside the sources are run.
    program: Option<String>,
    /// The test whose verdict has not come yet.
    pending: Option<String>,
    /// Whether the list of failures is being told.
    failures: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(program) = begins(line) {
            *self = Self {
                log: std::mem::take(&mut self.log),
                program,
                ..Self::default()
            };
            return;
        }
        let Some(program) = self.program.clone() else {
            return;
        };
        let (said, skip) = split_skip(line);
        if let Some(skip) = skip {
            self.log.skips.insert((program.clone(), skip));
        }
        self.failures = match said {
            "failures:" => true,
            _ => self.failures && !said.starts_with("test result:"),
        };
        if let Some((test, rest)) = test(said) {
            self.pending = Some(test.to_owned());
            self.conclude(&program, rest);
        } else if self.failures
            && let Some(test) = said.strip_prefix("    ")
        {
            self.log.note(&program, test, Verdict::Failed);
        } else {
            self.conclude(&program, said);
        }
    }

    /// Takes a verdict for that of the test that awaits one.
    fn conclude(&mut self, program: &str, said: &str) {
        if let Some(verdict) = verdict(said)
            && let Some(test) = self.pending.take()
        {
            self.log.note(program, &test, verdict);
        }
    }
}

/// Whether a program begins here, and its name where it is one of tests:
/// `     Running tests/aws.rs (target/debug/deps/aws-0123abcd)`.
fn begins(line: &str) -> Option<Option<String>> {
    if line.contains("Doc-tests ") {
        return Some(None);
    }
    let (_, rest) = line.split_once("Running")?;
    let (source, rest) = rest.rsplit_once(" (")?;
    let built = Path::new(rest.strip_suffix(')')?).file_stem()?.to_str()?;
    let (name, hash) = built.rsplit_once('-')?;
    if hash.is_empty() || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let inside = source.contains("unittests ");
    Some((!inside).then(|| name.to_owned()))
}

/// What a line says before a skip, and the skip: `skip 3 on aws: case_33: the clock is the machine's`.
fn split_skip(line: &str) -> (&str, Option<Skip>) {
    let mut places = line.match_indices("skip ");
    let found = places.find_map(|(at, mark)| {
        let (count, rest) = line.get(at + mark.len()..)?.split_once(" on ")?;
        count.parse::<u32>().ok()?;
        let (surface, rest) = rest.split_once(": ")?;
        let (scenario, reason) = rest.split_once(": ")?;
        let skip = Skip {
            surface: surface.to_owned(),
            scenario: scenario.to_owned(),
            reason: reason.trim_end().to_owned(),
        };
        Some((line.get(..at)?, skip))
    });
    match found {
        Some((said, skip)) => (said, Some(skip)),
        None => (line, None),
    }
}

/// The test that a line names, and what follows it: `test module::name - should panic ... ok`.
fn test(said: &str) -> Option<(&str, &str)> {
    let (name, rest) = said.strip_prefix("test ")?.split_once(" ... ")?;
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    (!name.contains(' ')).then_some((name, rest))
}

/// The verdict, which stands alone but for the time that the test took or why it was ignored.
fn verdict(said: &str) -> Option<Verdict> {
    let said = said.trim();
    let word = match said.split_once(" <") {
        Some((word, time)) if time.ends_with("s>") => word,
        _ => said.split(',').next().unwrap_or(said),
    };
    match word {
        "ok" => Some(Verdict::Passed),
        "FAILED" => Some(Verdict::Failed),
        "ignored" => Some(Verdict::Ignored),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARALLEL: &str = "\
   Compiling wm-tests v0.1.0
     Running unittests src/main.rs (target/debug/deps/wm-00ff00ff00ff00ff)

running 1 test
test serve::tests::a_word ... ok

     Running tests/aws.rs (target/debug/deps/aws-0123abcd)

running 5 tests
skip 2 on aws: case_33: the clock is the machine's
test case_33_a_grant_ends ... ok
test the_whole_journey has been running for over 60 seconds
skip 1 on aws: an address with another algorithm: it is s3:GetObject: no other
test the_whole_journey ... ok
test module::inner - should panic ... ok <0.013s>
test broken ... FAILED
test left_out ... ignored, takes an hour

failures:

---- broken stdout ----
thread 'broken' panicked at tests/aws.rs:3:5:
test not_a_test of ours

failures:
    broken

test result: FAILED. 3 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out

   Doc-tests wm_core

running 1 test
test core/src/lib.rs - (line 3) ... ok
";

    #[test]
    fn a_run_of_many_at_once_is_read() {
        let log = Log::read(PARALLEL);
        for (test, verdict) in [
            ("case_33_a_grant_ends", Some(Verdict::Passed)),
            ("the_whole_journey", Some(Verdict::Passed)),
            ("module::inner", Some(Verdict::Passed)),
            ("broken", Some(Verdict::Failed)),
            ("left_out", Some(Verdict::Ignored)),
            ("not_a_test", None),
        ] {
            assert_eq!(log.verdict("aws", test), verdict, "{test}");
        }
        assert_eq!(log.verdict("wm", "serve::tests::a_word"), None);
        let skips: Vec<_> = log.skips("aws").collect();
        assert_eq!(skips.len(), 2);
        assert_eq!(skips[0].scenario, "an address with another algorithm");
        assert_eq!(skips[0].reason, "it is s3:GetObject: no other");
        assert_eq!(skips[1].scenario, "case_33");
        assert_eq!(log.skips("azure").count(), 0);
    }

    #[test]
    fn a_run_of_one_after_the_other_is_read() {
        let text = "     Running tests/azure.rs (/elsewhere/deps/azure-0123abcd)\n\
            \n\
            running 5 tests\n\
            test case_33_a_grant_ends ... skip 1 on azure: case_33: the clock\n\
            ok\n\
            test two_skips ... skip 2 on azure: one: a\n\
            skip 3 on azure: two: b\n\
            a word of the emulator's: ok, it said\n\
            FAILED\n\
            test witness ... \n\
            test \u{1b}[0m\u{1b}[1mtests/a.rs\u{1b}[0m [should fail to compile] ... \u{1b}[0m\u{1b}[32mok\n\
            \u{1b}[0m\n\
            \n\
            FAILED\n\
            test plain ... ok\n\
            test cut_short ... a word\n\
            \u{1b}[1m\u{1b}[92m     Running\u{1b}[0m tests/azure_records.rs (target/debug/deps/azure_records-4567)\n\
            ok\n\
            test plain ... FAILED\n";
        let log = Log::read(text);
        for (program, test, verdict) in [
            ("azure", "case_33_a_grant_ends", Some(Verdict::Passed)),
            ("azure", "two_skips", Some(Verdict::Failed)),
            ("azure", "witness", Some(Verdict::Failed)),
            ("azure", "plain", Some(Verdict::Passed)),
            ("azure", "cut_short", None),
            ("azure_records", "plain", Some(Verdict::Failed)),
        ] {
            assert_eq!(log.verdict(program, test), verdict, "{program} {test}");
        }
        assert_eq!(log.skips("azure").count(), 3);
    }

    #[test]
    fn a_failure_counts_wherever_it_is_told() {
        let text = "     Running tests/aws.rs (target/debug/deps/aws-0123abcd)\n\
            test printed_ok ... ok\n\
            FAILED\n\
            failures:\n    printed_ok\n\ntest result: FAILED. 0 passed; 1 failed\n    indented\n";
        let log = Log::read(text);
        assert_eq!(log.verdict("aws", "printed_ok"), Some(Verdict::Failed));
        assert_eq!(log.verdict("aws", "indented"), None);
    }

    #[test]
    fn words_that_only_look_like_it_are_none() {
        for line in [
            "Running late (as ever)",
            "     Running tests/aws.rs (target/debug/deps/aws)",
            "Running a-b (x-y)",
        ] {
            assert_eq!(begins(line), None, "{line}");
        }
        for line in [
            "skip it on aws: a: b",
            "skip 1 of aws: a: b",
            "skip 1 on aws: a",
        ] {
            assert_eq!(split_skip(line), (line, None));
        }
    }
}
