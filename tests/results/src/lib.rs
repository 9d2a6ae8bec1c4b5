//! Results of tests as JSON lines, for the parity certificate.
//!
//! A test program appends to `PROGRAM.jsonl` in the directory that `WM_TEST_RESULTS` names. Without
//! that variable it records nothing. The test records its start and its outcome. The runner of
//! `cargo xtask test` records the end of the whole program. A test counts as passed only with both.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
};

use serde::{Deserialize, Serialize};

mod ran;

pub use ran::Ran;

/// The environment variable that names the directory of the results.
pub const DIRECTORY: &str = "WM_TEST_RESULTS";

/// The environment variable that names the directory of programs that are already built. Without it,
/// tests build the programs that they start.
pub const PROGRAMS: &str = "WM_PROGRAMS";

/// The extension of the files in that directory.
pub const EXTENSION: &str = "jsonl";

/// One line of a result file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The name of the test program, without the hash that Cargo adds.
    pub program: String,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened in a test program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Event {
    /// A test started. Without a further line, it did not end.
    Started {
        /// `module::name`.
        test: String,
    },
    /// The test ended.
    Passed {
        /// `module::name`.
        test: String,
    },
    /// The test panicked or returned an error.
    Failed {
        /// `module::name`.
        test: String,
    },
    /// The emulators of a surface cannot show the subject of a test. The test passes all the same.
    Skipped {
        surface: String,
        /// The name of the test, or its case, such as `case_33`.
        test: String,
        /// What the emulator lacks.
        reason: String,
    },
    /// The emulators of a surface lack something that is not the subject of one test.
    #[serde(rename = "known limitation")]
    KnownLimitation {
        surface: String,
        /// A description of the limitation.
        test: String,
        /// What the emulator lacks.
        reason: String,
    },
    /// The program ended.
    Ended {
        /// Its exit code; absent if a signal ended it.
        code: Option<i32>,
    },
}

/// Records the outcome of the current test on drop: failed if the test panics, otherwise passed.
///
/// A test binds it first, to a name: `let _recording = Recording::start();`.
#[derive(Debug)]
#[must_use = "a recording that is dropped at once says that the test passed before it ran"]
pub struct Recording {
    test: String,
    failed: bool,
}

impl Recording {
    /// Records the start of the test on this thread. libtest names the thread after the test.
    pub fn start() -> Self {
        let thread = thread::current();
        let test = thread.name().filter(|name| *name != "main");
        Self::of(test.expect("libtest runs each test on a thread of its name"))
    }

    /// Records the start of a test by name, for runners that do not name threads.
    pub fn of(test: &str) -> Self {
        let test = test.to_owned();
        record(Event::Started { test: test.clone() });
        Self {
            test,
            failed: false,
        }
    }

    /// Records the test as failed. For tests that return an error instead of panicking.
    pub fn fail(&mut self) {
        self.failed = true;
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let test = std::mem::take(&mut self.test);
        record(if self.failed || thread::panicking() {
            Event::Failed { test }
        } else {
            Event::Passed { test }
        });
    }
}

/// Records an event of this program if `WM_TEST_RESULTS` is set.
pub fn record(event: Event) {
    let Some(directory) = env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let path = env::current_exe().expect("the path of this program");
    append(&directory, &path, event).expect("the result of a test can be written");
}

/// Appends an event of the program at this path.
///
/// # Errors
///
/// When the file cannot be written.
pub fn append(directory: &Path, program: &Path, event: Event) -> io::Result<()> {
    let program = program_name(program);
    fs::create_dir_all(directory)?;
    let file = directory.join(&program).with_extension(EXTENSION);
    let mut line = serde_json::to_string(&Line { program, event }).map_err(io::Error::other)?;
    line.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    // One write, because tests of one program append at the same time.
    file.write_all(line.as_bytes())
}

/// The name of a test program from its path. Cargo builds `deps/NAME-HASH`.
#[must_use]
pub fn program_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match stem.rsplit_once('-') {
        Some((name, hash)) if hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name.to_owned(),
        _ => stem.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_names_omit_the_hash() {
        for (path, name) in [
            ("target/debug/deps/aws_tokens-0123abcd", "aws_tokens"),
            ("deps/aws", "aws"),
            ("deps/two-words", "two-words"),
        ] {
            assert_eq!(program_name(Path::new(path)), name);
        }
    }

    #[test]
    fn lines_match_the_format_and_can_be_read() {
        let skipped = Event::Skipped {
            surface: "aws".into(),
            test: "case_33".into(),
            reason: "its \"clock\"".into(),
        };
        let limitation = Event::KnownLimitation {
            surface: "azure".into(),
            test: "a NUL in a path".into(),
            reason: "refused".into(),
        };
        let started = Event::Started {
            test: "a::b".into(),
        };
        for (event, text) in [
            (
                skipped,
                r#"{"program":"aws","outcome":"skipped","surface":"aws","test":"case_33","reason":"its \"clock\""}"#,
            ),
            (
                limitation,
                r#"{"program":"aws","outcome":"known limitation","surface":"azure","test":"a NUL in a path","reason":"refused"}"#,
            ),
            (
                started,
                r#"{"program":"aws","outcome":"started","test":"a::b"}"#,
            ),
            (
                Event::Ended { code: None },
                r#"{"program":"aws","outcome":"ended","code":null}"#,
            ),
        ] {
            let line = Line {
                program: "aws".into(),
                event,
            };
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
            assert_eq!(serde_json::from_str::<Line>(text).unwrap(), line);
        }
    }

    #[test]
    fn test_thread_has_the_name_of_its_test() {
        let recording = Recording::start();
        assert_eq!(
            recording.test,
            "tests::test_thread_has_the_name_of_its_test"
        );
    }
}
