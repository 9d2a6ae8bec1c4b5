//! `wm-azure` as people run it: against an emulator of Azure Resource Manager, the object store and
//! the topic, and against fakes of the tools that it runs.

mod baseline;
mod cloud;
mod deploy;
mod http;
mod manager;
mod redrive;
mod setup;
mod site;

use std::fs;

use self::cloud::{Cloud, SUBSCRIPTION};

use crate::program::assert_commands_have_examples;
pub(crate) use crate::program::{Program, Ran};

/// Records its arguments, issues tokens, and stores deployments where the emulator of the resource
/// manager reads them.
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
    /// The program of a user who is signed in to this cloud.
    pub(crate) fn azure(cloud: &Cloud) -> Self {
        let program =
            Self::of("wm-azure", Vec::new()).with("AZURE_RESOURCE_MANAGER_ENDPOINT", &cloud.url);
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
}

#[test]
fn every_command_has_examples_in_its_help() {
    assert_commands_have_examples(&Program::azure(&Cloud::start()), "azure");
}

#[test]
fn missing_access_to_the_subscription_is_named() {
    let cloud = Cloud::start();
    let program = Program::azure(&cloud);
    fs::write(program.home().join("signed-out"), "").unwrap();
    let message = program.refuses(&["setup"], 1);
    assert!(
        message.contains("no account is signed in: run `az login`"),
        "{message}"
    );
    let named = ["redrive", "--subscription", SUBSCRIPTION];
    let message = program.refuses(&named, 1);
    assert!(
        message.contains("no account is signed in: run `az login`"),
        "{message}"
    );

    let toolless = Program::azure(&cloud);
    fs::remove_file(toolless.home().join("az")).unwrap();
    let message = toolless.refuses(&["setup"], 1);
    let words = "`az` is not on the PATH: get it with `pip install azure-cli`";
    assert!(message.contains(words), "{message}");

    let stranger = Program::azure(&cloud);
    let token = r#"{"accessToken":"x.eyJvaWQiOiJzdHJhbmdlciJ9.y","expires_on":4102444800,"tokenType":"Bearer"}"#;
    fs::write(
        stranger
            .home()
            .join("token-https---management-azure-com--default"),
        token,
    )
    .unwrap();
    let message = stranger.refuses(&["setup"], 1);
    assert!(
        message.contains("this sign-in is not valid: run `az login`"),
        "{message}"
    );

    let unsafe_ =
        Program::azure(&cloud).with("AZURE_RESOURCE_MANAGER_ENDPOINT", "http://example.com");
    let message = unsafe_.refuses(&["setup", "--plan"], 1);
    assert!(
        message.contains("`AZURE_RESOURCE_MANAGER_ENDPOINT` must be a URL"),
        "{message}"
    );

    let message = Program::azure(&cloud).refuses(&["setup", "--subscription", "Pay as you go"], 2);
    assert!(
        message.contains("a subscription must be given by its id"),
        "{message}"
    );
    assert_eq!(cloud.writes(), [""; 0]);
}
