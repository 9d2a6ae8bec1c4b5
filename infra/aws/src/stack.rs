//! Stacks: deployment with `sam`, and their outputs.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::Path,
};

use serde::Deserialize;
use wm_deploy::{
    tags::Tags,
    tools::{Run, Tool},
};
use wm_terminal::failure::Failure;

use crate::account::Account;

/// Builds the functions for Lambda.
pub(crate) const CARGO_LAMBDA: Tool = Tool {
    program: "cargo-lambda",
    how_to_get: "pip install cargo-lambda==1.9.2",
    environment: &[],
};
pub(crate) const SAM: Tool = Tool {
    program: "sam",
    how_to_get: "pip install aws-sam-cli",
    environment: &[("SAM_CLI_TELEMETRY", "0")],
};

/// `sam deploy` of a template in the repository.
pub(crate) fn sam_deploy(
    account: &Account,
    template: &str,
    stack: &str,
    tags: &Tags,
    parameters: &BTreeMap<String, String>,
) -> Run {
    let pair = |(key, value): (&String, &String)| format!("{key}={value}");
    // Progress bars are useful in a terminal only.
    let watched = io::stdout().is_terminal();
    SAM.run()
        .with(["deploy", "--template-file", template, "--stack-name", stack])
        .with(["--region", &account.region, "--s3-prefix", stack])
        .with([
            "--resolve-s3",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
        ])
        .with((!watched).then_some("--no-progressbar"))
        .with(["--capabilities", "CAPABILITY_NAMED_IAM", "--tags"])
        .with(tags.iter().map(pair))
        .with(["--parameter-overrides"])
        .with(parameters.iter().map(pair))
}

/// The outputs of a stack. `None` if the stack does not exist.
///
/// # Errors
/// If the output of `sam` has an unknown form.
pub(crate) fn outputs(
    account: &Account,
    stack: &str,
    directory: &Path,
) -> Result<Option<BTreeMap<String, String>>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output {
        output_key: String,
        output_value: String,
    }
    let run = SAM
        .run()
        .with(["list", "stack-outputs", "--output", "json"]);
    let run = run.with(["--stack-name", stack, "--region", &account.region]);
    let Some(text) = run.read(directory)? else {
        return Ok(None);
    };
    let outputs: Vec<Output> = serde_json::from_slice(&text).map_err(|error| {
        let message =
            format!("`sam` does not list the outputs of `{stack}`; install another version of it");
        Failure::because(message, error)
    })?;
    let pair = |output: Output| (output.output_key, output.output_value);
    Ok(Some(outputs.into_iter().map(pair).collect()))
}
