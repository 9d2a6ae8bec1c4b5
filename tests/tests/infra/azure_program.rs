//! `wm-azure` as people run it: against an emulator for Azure's manager of resources, its object store and
//! its topic, and against fakes of the tools it runs.

mod baseline;
mod cloud;
mod deploy;
mod http;
mod manager;
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
use wm_tests::process;

use self::cloud::{Cloud, SUBSCRIPTION};

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

/// Notes how it was run, gives tokens, and remembers what was deployed as the emulator of the manager
/// reads it.
const AZ: &str = r#"
if [ "$1 $2" = "account get-access-token" ]; then
  test -e "$HOME/signed-out" && { echo "Please run 'az login' to setup account." >&2; exit 1; }
  for argument in "$@"; do case "$argument" in https://*) scope=$argument;; esac; done
  cat "$HOME/token-$(printf %s "$scope" | tr -c 'a-zA-Z0-9' -)"
  exit
fi
if [ "$1 $2" = "account show" ]; then
  test -e "$HOME/signed-out" && exit 1
  cat "$HOME/account"; exit
fi
for argument in "$0" "$@"; do printf '%s\n' "$argument" >> "$HOME/log"; done
test -e "$HOME/fails" && exit 3
if [ "$1 $2 $3" = "deployment group create" ]; then
  for argument in "$@"; do
    test "$previous" = --name && name=$argument
    previous=$argument
  done
  printf '%s\n' "$@" > "$HOME/deployed-$name"
fi
exit 0"#;

impl Program {
    /// The program, as somebody who is signed in to this cloud.
    pub(crate) fn new(cloud: &Cloud) -> Self {
        let home = tempfile::tempdir().unwrap();
        let variables = [("AZURE_RESOURCE_MANAGER_ENDPOINT", cloud.url.as_str())];
        let program = Self {
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            home,
        };
        let account = format!(r#"{{"id":"{SUBSCRIPTION}"}}"#);
        fs::write(program.home().join("account"), account).unwrap();
        for (scope, token) in cloud::tokens() {
            let mark = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
            let name: String = scope.chars().map(mark).collect();
            let answer = format!(
                r#"{{"accessToken":"{token}","expires_on":4102444800,"tokenType":"Bearer"}}"#
            );
            fs::write(program.home().join(format!("token-{name}")), answer).unwrap();
        }
        cloud.deployments_in(program.home());
        program.tool("az", AZ)
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
        let mut command = Command::new(process::binary("wm-azure"));
        command.args(arguments).env_clear();
        command
            .env("HOME", self.home())
            .env("PATH", format!("{}:{}", self.home().display(), BASICS))
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

/// What the scripts themselves need.
const BASICS: &str = "/usr/bin:/bin";

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
    let program = Program::new(&Cloud::start());
    for command in ["setup", "deploy", "deploy-site", "redrive"] {
        let help = program.works(&[command, "--help"]);
        let example = format!("\n  wm {command} azure");
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
fn what_is_missing_to_reach_the_subscription_is_named() {
    let cloud = Cloud::start();
    let program = Program::new(&cloud);
    fs::write(program.home().join("signed-out"), "").unwrap();
    let said = program.refuses(&["setup"], 1);
    assert!(
        said.contains("no account is signed in: run `az login`"),
        "{said}"
    );
    let named = ["redrive", "--subscription", SUBSCRIPTION];
    let said = program.refuses(&named, 1);
    assert!(
        said.contains("no account is signed in: run `az login`"),
        "{said}"
    );

    let toolless = Program::new(&cloud);
    fs::remove_file(toolless.home().join("az")).unwrap();
    let said = toolless.refuses(&["setup"], 1);
    let words = "`az` is not on the PATH: get it with `pip install azure-cli`";
    assert!(said.contains(words), "{said}");

    let stranger = Program::new(&cloud);
    let token = r#"{"accessToken":"x.eyJvaWQiOiJzdHJhbmdlciJ9.y","expires_on":4102444800,"tokenType":"Bearer"}"#;
    fs::write(
        stranger
            .home()
            .join("token-https---management-azure-com--default"),
        token,
    )
    .unwrap();
    let said = stranger.refuses(&["setup"], 1);
    assert!(
        said.contains("this sign-in is not valid: run `az login`"),
        "{said}"
    );

    let unsafe_ =
        Program::new(&cloud).with("AZURE_RESOURCE_MANAGER_ENDPOINT", "http://example.com");
    let said = unsafe_.refuses(&["setup", "--plan"], 1);
    assert!(
        said.contains("`AZURE_RESOURCE_MANAGER_ENDPOINT` must be a URL"),
        "{said}"
    );

    let said = Program::new(&cloud).refuses(&["setup", "--subscription", "Pay as you go"], 2);
    assert!(
        said.contains("a subscription must be given by its id"),
        "{said}"
    );
    assert_eq!(cloud.writes(), [""; 0]);
}
