//! The deploy program of a cloud as people run it, with fakes of the tools that it runs.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;
use wm_tests::process;

/// A program in its own environment.
pub(crate) struct Program {
    binary: &'static str,
    variables: Vec<(String, String)>,
    /// Its home directory, which contains the only other programs on its path.
    home: TempDir,
}

/// The exit code and the output of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The directories that the scripts themselves need.
const BASICS: &str = "/usr/bin:/bin";

impl Program {
    pub(crate) fn of(binary: &'static str, variables: Vec<(String, String)>) -> Self {
        Self {
            binary,
            variables,
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Adds a variable, which replaces any of the same name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a shell script with this name to the path.
    pub(crate) fn tool(self, name: &str, script: &str) -> Self {
        let path = self.home.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(process::binary(self.binary));
        command.args(arguments).env_clear();
        command
            .env("HOME", self.home())
            .env("PATH", format!("{}:{BASICS}", self.home().display()))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(wm_tests::repository::root());
        command
    }

    /// Runs the program and waits for its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// Runs the program and asserts success.
    #[track_caller]
    pub(crate) fn works(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.out
    }

    /// Runs the program, asserts this exit code and a single line of error, and returns the line.
    #[track_caller]
    pub(crate) fn refuses(&self, arguments: &[&str], code: i32) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        let line = ran.err.trim_end();
        assert!(
            line.starts_with("error: ") && !line.contains('\n'),
            "{ran:?}"
        );
        line.to_owned()
    }
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

/// Asserts that the help of every command has examples for this cloud, and that wrong usage is
/// refused.
pub(crate) fn assert_commands_have_examples(program: &Program, cloud: &str) {
    for command in ["setup", "deploy", "deploy-site", "redrive"] {
        let help = program.works(&[command, "--help"]);
        let example = format!("\n  wm {command} {cloud}");
        assert!(
            help.contains("Examples:") && help.contains(&example),
            "{help}"
        );
        let long: Vec<&str> = help
            .lines()
            .filter(|line| line.chars().count() > 100)
            .collect();
        assert!(long.is_empty(), "{long:#?}");
    }
    assert_eq!(program.run(&["setup", "--nonsense"]).code, Some(2));
    assert_eq!(program.run(&[]).code, Some(2));
}

pub(crate) const SITE: &[(&str, &str)] = &[
    (
        "index.html",
        "<!doctype html><script src=/assets/app-B3xk9Q2z.js></script>",
    ),
    ("assets/app-B3xk9Q2z.js", "console.log(1)"),
    ("favicon.svg", "<svg/>"),
];

/// A folder with these files.
pub(crate) fn built(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (key, text) in files {
        let path = folder.path().join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}
