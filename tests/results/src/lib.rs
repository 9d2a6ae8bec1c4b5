//! Results of tests as JSON lines, for the certificate of parity.
//!
//! A test program appends to `PROGRAM.jsonl` in the directory that `WM_TEST_RESULTS` names. Without that
//! variable it records nothing. The test itself records that it started and how it came out; the runner of
//! `cargo xtask test` records how the whole program ended. Only both together count as passed.

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

/// The extension of the files in that directory.
pub const EXTENSION: &str = "jsonl";

/// One line of a result file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The name of the test program, without the hash that Cargo adds.
    pub program: String,
    /// What happened in it.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened in a test program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Event {
    /// A test started. Without a line that follows, it did not come to its end.
    Started {
        /// `module::name`.
        test: String,
    },
    /// The test came to its end.
    Passed {
        /// `module::name`.
        test: String,
    },
    /// The test panicked or returned an error.
    Failed {
        /// `module::name`.
        test: String,
    },
    /// The emulators of a surface cannot show what a test is about; the test passes all the same.
    Skipped {
        surface: String,
        /// The name of the test, or of its case, as `case_33`.
        test: String,
        /// What the emulator lacks.
        reason: String,
    },
    /// The emulators of a surface lack something that no single test is about.
    #[serde(rename = "known limitation")]
    KnownLimitation {
        surface: String,
        /// What is limited.
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

/// Records the outcome of the test that holds it: passed when it is dropped, failed when the test panics.
///
/// A test binds it first, by a name: `let _recording = Recording::start();`.
#[derive(Debug)]
#[must_use = "a recording that is dropped at once says that the test passed before it ran"]
pub struct Recording {
    test: String,
    failed: bool,
}

impl Recording {
    /// The start of the test that runs on this thread, which libtest names after it.
    ///
    /// # Panics
    /// When the thread has no name of a test, and when the result cannot be written.
    pub fn start() -> Self {
        let thread = thread::current();
        let test = thread.name().filter(|name| *name != "main");
        Self::of(test.expect("libtest runs each test on a thread of its name"))
    }

    /// The start of a test of this name, for runners that name no threads.
    ///
    /// # Panics
    /// When the result cannot be written.
    pub fn of(test: &str) -> Self {
        let test = test.to_owned();
        record(Event::Started { test: test.clone() });
        Self {
            test,
            failed: false,
        }
    }

    /// Records a test as failed that returns an error instead of panicking.
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

/// Records an event of this program, if somebody asks for results.
///
/// # Panics
/// When the result cannot be written.
pub fn record(event: Event) {
    let Some(directory) = env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let path = env::current_exe().expect("the path of this program");
    append(&directory, &path, event).expect("the result of a test can be written");
}

/// Appends an event of the program at a path.
///
/// # Errors
/// When the file cannot be written.
pub fn append(directory: &Path, program: &Path, event: Event) -> io::Result<()> {
    let program = program_name(program);
    fs::create_dir_all(directory)?;
    let file = directory.join(&program).with_extension(EXTENSION);
    let mut line = serde_json::to_string(&Line { program, event }).map_err(io::Error::other)?;
    line.push('\n');
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    // One write: tests of one program append at the same time.
    file.write_all(line.as_bytes())
}

/// The name of a test program by its path: Cargo builds `deps/NAME-HASH`.
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
    fn program_names_leave_the_hash_out() {
        for (path, name) in [
            ("target/debug/deps/aws_tokens-0123abcd", "aws_tokens"),
            ("deps/aws", "aws"),
            ("deps/two-words", "two-words"),
        ] {
            assert_eq!(program_name(Path::new(path)), name);
        }
    }

    #[test]
    fn lines_are_as_documented_and_read_back() {
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
    fn the_thread_of_a_test_has_its_name() {
        let recording = Recording::start();
        assert_eq!(recording.test, "tests::the_thread_of_a_test_has_its_name");
    }
}
