//! `wm-aws` as people run it: against the AWS emulator and fakes of the tools that it runs.

mod baseline;
mod cloud;
mod deploy;
mod gate;
mod redrive;
mod setup;
mod site;

use std::fs;

use wm_tests::emulators::ministack::{Credentials, Ministack, REGION};

use crate::program::assert_commands_have_examples;
pub(crate) use crate::program::{Program, Ran};

impl Program {
    /// The program as root of the emulator's only account.
    pub(crate) fn aws() -> Self {
        Self::of("wm-aws", Ministack::shared().environment())
    }
}

#[test]
fn every_command_has_examples_in_its_help() {
    assert_commands_have_examples(&Program::aws(), "aws");
}

#[test]
fn missing_access_to_the_account_is_named() {
    let without_region = Program::aws().with("AWS_REGION", "");
    let message = without_region.refuses(&["setup"], 2);
    assert!(
        message.contains("no region is set: use `--region`"),
        "{message}"
    );

    let without_credentials = Program::of("wm-aws", Vec::new())
        .with("AWS_REGION", REGION)
        .with("AWS_EC2_METADATA_DISABLED", "true");
    let message = without_credentials.refuses(&["setup"], 1);
    assert!(
        message.contains("there are no credentials: set `AWS_PROFILE`"),
        "{message}"
    );

    let stranger = Program::aws().with("AWS_ACCESS_KEY_ID", "STRANGER");
    let message = stranger.refuses(&["redrive"], 1);
    assert!(
        message.contains("`sts:GetCallerIdentity` failed, these credentials"),
        "{message}"
    );

    let unreachable = Program::aws().with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let message = unreachable.refuses(&["setup", "--plan"], 1);
    assert!(
        message.contains("the service cannot be reached"),
        "{message}"
    );
}

#[test]
fn profile_gives_region_and_credentials() {
    let root = Credentials::root();
    let profile = Program::of("wm-aws", Vec::new())
        .with("AWS_PROFILE", "acme")
        .with("AWS_ENDPOINT_URL", &Ministack::shared().url);
    fs::create_dir(profile.home().join(".aws")).unwrap();
    let text = format!(
        "[profile acme]\nregion = {REGION}\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        root.key, root.secret
    );
    fs::write(profile.home().join(".aws/config"), text).unwrap();
    let out = profile.works(&["setup", "--plan", "--prefix", "by-profile"]);
    assert!(out.contains(&format!("region `{REGION}`")), "{out}");
}
