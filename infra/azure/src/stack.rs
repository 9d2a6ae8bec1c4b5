//! Deployments of templates, made with `az`.

use std::collections::BTreeMap;

use serde_json::Value;
use wm_deploy::{
    tags::Tags,
    tools::{Run, Tool},
};

use crate::{account::Account, deployment::Names};

/// Signs in, and deploys templates.
pub(crate) const AZ: Tool = Tool {
    program: "az",
    how_to_get: "pip install azure-cli",
    environment: &[
        ("AZURE_CORE_COLLECT_TELEMETRY", "0"),
        ("AZURE_CORE_NO_COLOR", "1"),
    ],
};
/// Publishes functions.
pub(crate) const FUNC: Tool = Tool {
    program: "func",
    how_to_get: "npm install --global azure-functions-core-tools@4",
    environment: &[("FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT", "1")],
};

/// What a template is told, by name.
pub(crate) type Parameters = BTreeMap<String, Value>;

/// Makes a resource group.
pub(crate) fn make_group(account: &Account, names: &Names, tags: &Tags) -> Run {
    let location = names.location.as_ref().unwrap_or(&names.default_location);
    AZ.run()
        .with(["group", "create", "--name", &names.group])
        .with(["--location", location, "--output", "none"])
        .with(["--subscription", &account.subscription])
        .with(["--tags"])
        .with(tags.iter().map(|(key, value)| format!("{key}={value}")))
}

/// What becomes of a template below the repository's root.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    /// It is deployed.
    Create,
    /// It is only said what would change.
    WhatIf,
}

/// `az deployment group create`, or what it would change.
pub(crate) fn deploy(
    verb: Verb,
    account: &Account,
    names: &Names,
    template: &str,
    deployment: &str,
    parameters: &Parameters,
) -> Run {
    let (verb, more) = match verb {
        Verb::Create => ("create", &["--output", "none"][..]),
        Verb::WhatIf => ("what-if", &[][..]),
    };
    let pair = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={text}"),
        value => format!("{name}={value}"),
    };
    AZ.run()
        .with(["deployment", "group", verb, "--name", deployment])
        .with(["--resource-group", &names.group])
        .with(["--subscription", &account.subscription])
        .with(["--template-file", template])
        .with(more.iter().copied())
        .with(["--parameters"])
        .with(parameters.iter().map(pair))
}

/// Publishes the folder it is run in.
pub(crate) fn publish(account: &Account, app: &str) -> Run {
    FUNC.run()
        .with(["azure", "functionapp", "publish", app, "--custom"])
        .with(["--subscription", &account.subscription])
}
