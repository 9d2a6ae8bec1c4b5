//! The outcome of a program that a test started.

use std::process::Output;

/// The exit status and the output of a program.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Asserts that the program failed, that its last line is an error, and that the output
    /// contains these words.
    #[track_caller]
    pub fn expect_error(self, code: i32, words: &[&str]) -> Self {
        let ran = self.expect(code);
        let last = ran.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: "), "{ran:#?}");
        for word in words {
            assert!(ran.stderr.contains(word), "no `{word}` in {ran:#?}");
        }
        ran
    }
}
