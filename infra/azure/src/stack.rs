//! Deployments of templates with `az`.

use std::collections::BTreeMap;

use serde_json::Value;
use wm_deploy::{
    tags::Tags,
    tools::{Run, Tool},
};

use crate::{account::Account, deployment::Names};

/// Signs in and deploys templates.
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

/// Template parameters by name.
pub(crate) type Parameters = BTreeMap<String, Value>;

/// Creates a resource group.
pub(crate) fn make_group(account: &Account, names: &Names, tags: &Tags) -> Run {
    let location = names.location.as_ref().unwrap_or(&names.default_location);
    AZ.run()
        .with(["group", "create", "--name", &names.group])
        .with(["--location", location, "--output", "none"])
        .with(["--subscription", &account.subscription])
        .with(["--tags"])
        .with(tags.iter().map(|(key, value)| format!("{key}={value}")))
}

/// The action for a template of the repository.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    /// Deploys the template.
    Create,
    /// Shows the changes of a deployment.
    WhatIf,
}

/// `az deployment group create`, or its preview.
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

/// Publishes the folder in which it runs.
pub(crate) fn publish(account: &Account, app: &str) -> Run {
    FUNC.run()
        .with(["azure", "functionapp", "publish", app, "--custom"])
        .with(["--subscription", &account.subscription])
}
