//! `wm-aws` as people run it: against the emulator for AWS, and against fakes of the tools it runs.

mod baseline;
mod cloud;
mod deploy;
mod gate;
mod redrive;
mod setup;
mod site;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;
use wm_tests::{
    emulators::ministack::{Credentials, Ministack, REGION},
    process,
};

/// A run of the program in an environment of its own.
pub(crate) struct Program {
    variables: Vec<(String, String)>,
    /// Where it is at home, and where the only other programs are that it finds.
    home: TempDir,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// The program as root of the emulator's one account.
    pub(crate) fn new() -> Self {
        Self {
            variables: Ministack::shared().environment(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// With a variable that wins over any of the same name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a shell script of this name on the path.
    pub(crate) fn tool(self, name: &str, script: &str) -> Self {
        let path = self.home.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// What would be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(process::binary("wm-aws"));
        command.args(arguments).env_clear();
        command
            .env("HOME", self.home())
            .env("PATH", format!("{}:/usr/bin:/bin", self.home().display()))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(wm_tests::repository::root());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// Runs it and asserts that it went well.
    #[track_caller]
    pub(crate) fn works(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.out
    }

    /// Runs it and asserts that it ends with this code, having said one line; answers the line.
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

#[test]
fn every_command_teaches_by_example() {
    let program = Program::new();
    for command in ["setup", "deploy", "deploy-site", "redrive"] {
        let help = program.works(&[command, "--help"]);
        let example = format!("\n  wm {command} aws");
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

#[test]
fn what_is_missing_to_reach_the_account_is_named() {
    let without_region = Program::new().with("AWS_REGION", "");
    let said = without_region.refuses(&["setup"], 2);
    assert!(said.contains("no region is set: use `--region`"), "{said}");

    let nobody = Program {
        variables: vec![
            ("AWS_REGION".into(), REGION.into()),
            ("AWS_EC2_METADATA_DISABLED".into(), "true".into()),
        ],
        home: tempfile::tempdir().unwrap(),
    };
    let said = nobody.refuses(&["setup"], 1);
    assert!(
        said.contains("there are no credentials: set `AWS_PROFILE`"),
        "{said}"
    );

    let stranger = Program::new().with("AWS_ACCESS_KEY_ID", "STRANGER");
    let said = stranger.refuses(&["redrive"], 1);
    assert!(
        said.contains("`sts:GetCallerIdentity` failed, these credentials"),
        "{said}"
    );

    let unreachable = Program::new().with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let said = unreachable.refuses(&["setup", "--plan"], 1);
    assert!(said.contains("the service cannot be reached"), "{said}");
}

#[test]
fn a_profile_names_region_and_credentials() {
    let root = Credentials::root();
    let profile = Program::new();
    fs::create_dir(profile.home().join(".aws")).unwrap();
    let text = format!(
        "[profile acme]\nregion = {REGION}\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        root.key, root.secret
    );
    fs::write(profile.home().join(".aws/config"), text).unwrap();
    let profile = Program {
        variables: vec![
            ("AWS_PROFILE".into(), "acme".into()),
            ("AWS_ENDPOINT_URL".into(), Ministack::shared().url.clone()),
        ],
        home: profile.home,
    };
    let out = profile.works(&["setup", "--plan", "--prefix", "by-profile"]);
    assert!(out.contains(&format!("region `{REGION}`")), "{out}");
}
