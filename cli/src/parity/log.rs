//! The output of a test run, read back.
//!
//! Cargo names each program before it runs it, libtest each test with its verdict, and the tests say on the
//! standard error what a surface could not show. Where tests run one by one, libtest writes a test's name
//! before it begins and the verdict when it ends, so that all the test says stands between the two. What was
//! read of a program is held against its closing line, which counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
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

/// How many tests of a program came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

/// A test run.
#[derive(Debug, Default)]
pub(crate) struct Log {
    verdicts: BTreeMap<(String, String), Verdict>,
    skips: BTreeSet<(String, Skip)>,
    /// The programs that said something else than what was read, and what.
    doubts: BTreeMap<String, String>,
}

impl Log {
    /// Reads what `cargo test` printed, both of its outputs together.
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader::default();
        for line in text.lines() {
            reader.line(line);
        }
        reader.close();
        reader.log
    }

    /// Whether no test ran at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// What came of a test of a program. In a program that is in doubt nothing has passed.
    pub(crate) fn verdict(&self, program: &str, test: &str) -> Option<Verdict> {
        let place = (program.to_owned(), test.to_owned());
        let verdict = self.verdicts.get(&place).copied();
        verdict.filter(|verdict| *verdict != Verdict::Passed || self.doubt(program).is_none())
    }

    /// Why what was read of a program does not count.
    pub(crate) fn doubt(&self, program: &str) -> Option<&str> {
        self.doubts.get(program).map(String::as_str)
    }

    /// What could not be shown by a program.
    pub(crate) fn skips(&self, program: &str) -> impl Iterator<Item = &Skip> {
        let of_it = self.skips.iter().filter(move |(by, _)| by == program);
        of_it.map(|(_, skip)| skip)
    }

    /// Takes over what was read of a program, if its closing line says the same.
    fn close(
        &mut self,
        program: String,
        verdicts: BTreeMap<String, Verdict>,
        said: Option<Counts>,
    ) {
        let read = Counts::of(verdicts.values());
        let doubt = match said {
            None => Some(format!("it did not end, and {read} were read")),
            Some(said) if said != read => Some(format!("it says {said}, and {read} were read")),
            Some(_) => None,
        };
        for (test, verdict) in verdicts {
            note(&mut self.verdicts, (program.clone(), test), verdict);
        }
        self.doubts.extend(doubt.map(|doubt| (program, doubt)));
    }
}

impl Counts {
    fn of<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> Self {
        verdicts.fold(Self::default(), |mut counts, verdict| {
            match verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Failed => counts.failed += 1,
                Verdict::Ignored => counts.ignored += 1,
            }
            counts
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            ignored,
        } = self;
        write!(
            formatter,
            "{passed} passed, {failed} failed and {ignored} ignored"
        )
    }
}

/// The worst verdict counts where a test has several.
fn note<K: Ord>(verdicts: &mut BTreeMap<K, Verdict>, test: K, verdict: Verdict) {
    let noted = verdicts.entry(test).or_insert(verdict);
    *noted = verdict.max(*noted);
}

#[derive(Default)]
struct Reader {
    log: Log,
    /// The program that runs; none while documentation or tests inside the sources are run.
    program: Option<String>,
    /// What was read of it so far.
    verdicts: BTreeMap<String, Verdict>,
    /// What it says itself, in its closing line.
    said: Option<Counts>,
    /// The test whose verdict has not come yet.
    pending: Option<String>,
    /// Whether the names of what failed are being told.
    failures: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(program) = begins(line) {
            self.close();
            self.program = program;
            return;
        }
        let Some(program) = &self.program else {
            return;
        };
        let (said, skip) = split_skip(line);
        let skip = skip.map(|skip| (program.clone(), skip));
        self.log.skips.extend(skip);
        self.said = counts(said).or(self.said);
        let failed = said.strip_prefix("    ").filter(|_| self.failures);
        self.failures = said == "failures:" || failed.is_some();
        if let Some((test, rest)) = test(said) {
            self.pending = Some(test.to_owned());
            self.conclude(rest);
        } else if let Some(test) = failed {
            note(&mut self.verdicts, test.to_owned(), Verdict::Failed);
        } else {
            self.conclude(said);
        }
    }

    /// Takes a verdict for that of the test that awaits one.
    fn conclude(&mut self, said: &str) {
        if let Some(verdict) = verdict(said)
            && let Some(test) = self.pending.take()
        {
            note(&mut self.verdicts, test, verdict);
        }
    }

    /// Ends a program.
    fn close(&mut self) {
        let ended = std::mem::take(self);
        self.log = ended.log;
        if let Some(program) = ended.program {
            self.log.close(program, ended.verdicts, ended.said);
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

/// What a closing line counts: `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out`.
fn counts(said: &str) -> Option<Counts> {
    let (_, rest) = said.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        let mut parts = rest.split("; ");
        parts.find_map(|part| part.strip_suffix(word)?.trim_end().parse().ok())
    };
    Some(Counts {
        passed: count("passed")?,
        failed: count("failed")?,
        ignored: count("ignored")?,
    })
}

/// The test that a line names, and what follows it: `test module::name - should panic ... ok`. Some runners pad
/// names to one length.
fn test(said: &str) -> Option<(&str, &str)> {
    let (name, rest) = said.strip_prefix("test ")?.split_once(" ... ")?;
    let name = name.trim_end();
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    (!name.contains(' ')).then_some((name, rest))
}

/// The verdict, which stands alone but for the time that the test took or why it was ignored.
fn verdict(said: &str) -> Option<Verdict> {
    let said = said.trim();
    let word = match said.split_once(" <") {
        Some((word, time)) if time.ends_with("s>") => word,
        _ => said,
    };
    match word {
        "ok" => Some(Verdict::Passed),
        "FAILED" => Some(Verdict::Failed),
        "ignored" => Some(Verdict::Ignored),
        _ => word.starts_with("ignored, ").then_some(Verdict::Ignored),
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
        assert_eq!(log.doubt("aws"), None);
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
            test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n\
            \u{1b}[1m\u{1b}[92m     Running\u{1b}[0m tests/azure_records.rs (target/debug/deps/azure_records-4567)\n\
            ok\n\
            test plain ... FAILED\n\
            test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
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
        assert_eq!(log.doubt("azure"), None);
    }

    /// What libtest-mimic prints.
    const PADDED: &str = "\
     Running tests/parity/main.rs (target/debug/deps/parity-0123abcd)

running 3 tests
test crash::no_operation_is_left_out      ... ok
test scripts::left_out                    ... ignored
complete_version: 12
test crash::a_process_may_die_at_any_call ... FAILED

failures:

---- crash::a_process_may_die_at_any_call ----
complete_version: local differs
    the calls of p0: Complete [1, 1, 1], keyed
    differ


failures:
    crash::a_process_may_die_at_any_call

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 8 filtered out; finished in 6.03s

";

    #[test]
    fn a_runner_that_pads_names_is_read() {
        let log = Log::read(PADDED);
        for (test, verdict) in [
            ("crash::no_operation_is_left_out", Some(Verdict::Passed)),
            ("scripts::left_out", Some(Verdict::Ignored)),
            (
                "crash::a_process_may_die_at_any_call",
                Some(Verdict::Failed),
            ),
            ("differ", None),
        ] {
            assert_eq!(log.verdict("parity", test), verdict, "{test}");
        }
        assert_eq!(log.doubt("parity"), None);
    }

    #[test]
    fn what_passes_counts_only_if_the_closing_line_counts_it_too() {
        let (closed, _) = PADDED.split_once("test result:").unwrap();
        let elsewhere = PADDED.replace("/parity-", "/other-");
        for (text, why) in [
            (closed.to_owned(), "it did not end, and 1 passed, 1 failed"),
            (
                PADDED.replace("1 passed;", "2 passed;"),
                "it says 2 passed, 1 failed and 1 ignored, and 1 passed, 1 failed and 1 ignored",
            ),
            (
                PADDED.replace("1 ignored;", "0 ignored;"),
                "0 ignored, and 1 passed",
            ),
            // A line that a test cut in two.
            (
                PADDED.replace("out      ... ok", "out      .\n.. ok"),
                "and 0 passed",
            ),
            (format!("{closed}{elsewhere}"), "it did not end"),
            (format!("{PADDED}{closed}"), "it did not end"),
        ] {
            let log = Log::read(&text);
            let doubt = log.doubt("parity").unwrap();
            assert!(doubt.contains(why), "{doubt}");
            let verdict = |test| log.verdict("parity", test);
            assert_eq!(verdict("crash::no_operation_is_left_out"), None, "{why}");
            let failed = verdict("crash::a_process_may_die_at_any_call");
            assert_eq!(failed, Some(Verdict::Failed), "{why}");
            assert_eq!(log.doubt("other"), None);
        }
    }

    #[test]
    fn a_failure_counts_wherever_it_is_told() {
        let text = "     Running tests/aws.rs (target/debug/deps/aws-0123abcd)\n\
            test printed_ok ... ok\n\
            FAILED\n\
            failures:\n    printed_ok\n\n\
            test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured\n    indented\n";
        let log = Log::read(text);
        assert_eq!(log.verdict("aws", "printed_ok"), Some(Verdict::Failed));
        assert_eq!(log.verdict("aws", "indented"), None);
        assert_eq!(log.doubt("aws"), None);
    }

    #[test]
    fn words_that_only_look_like_it_are_none() {
        for said in ["ok, it said", "FAILED, it said", "okay", "ignored by all"] {
            assert_eq!(verdict(said), None, "{said}");
        }
        for said in ["test result: ok", "test result: ok. 1 passed; 0 failed"] {
            assert_eq!(counts(said), None, "{said}");
        }
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
