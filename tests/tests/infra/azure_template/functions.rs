//! The function app and its settings.

use std::collections::BTreeMap;

use serde_json::json;
use wm_azure::config::Role;
use wm_core::{
    catalog::{DEFAULT_ENVIRONMENT, DEFAULT_PREFIX, Provider},
    selection::BackendSelection,
};
use wm_tests::{arm::Arm, repository};

use super::{Findings, assert_check, deployed, expect, expect_equal, expect_members};

/// The sources of the handler.
pub(crate) fn code() -> String {
    repository::sources("azure-functions/src/")
}

/// The settings of the app, by name.
pub(crate) fn app_settings(template: &Arm) -> BTreeMap<String, String> {
    let template = deployed(template, &[]);
    Arm::settings(&template.properties("functions")["siteConfig"]["appSettings"])
}

/// Settings of the host or of an SDK, with their required values. None of them is a connection
/// string.
const HOST: [(&str, &str); 9] = [
    (
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "ClientId={hostIdentity.clientId};Authorization=AAD",
    ),
    (
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "{insights.ConnectionString}",
    ),
    ("AzureWebJobsStorage__accountName", "{host}"),
    ("AzureWebJobsStorage__clientId", "{hostIdentity.clientId}"),
    ("AzureWebJobsStorage__credential", "managedidentity"),
    // Read by the SDK of Cosmos DB.
    ("COSMOS_DISABLE_IMDS", "1"),
    (
        "WorkspaceCosmos__accountEndpoint",
        "https://workspace-management-dev-cosmos.documents.azure.com:443/",
    ),
    ("WorkspaceCosmos__clientId", "{hostIdentity.clientId}"),
    ("WorkspaceCosmos__credential", "managedidentity"),
];

/// Settings that this plan refuses, or that would duplicate the plan's own.
const REFUSED: [&str; 5] = [
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "AzureWebJobsStorage",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
];

pub(crate) fn whole(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let template = deployed(template, &[]);
    let app = template.properties("functions");
    let expected = json!({ "httpsOnly": true, "serverFarmId": "Microsoft.Web/serverfarms/workspace-management-dev" });
    expect_members(&mut findings, "functions", app, &expected);
    let site = json!({
        "minTlsVersion": "1.2", "scmMinTlsVersion": "1.2",
        "ftpsState": "Disabled", "remoteDebuggingEnabled": false,
    });
    expect_members(&mut findings, "functions", &app["siteConfig"], &site);
    let runtime = json!({ "name": "custom", "version": "1.0" });
    let config = &app["functionAppConfig"];
    expect_equal(&mut findings, "runtime", &config["runtime"], &runtime);
    let package = json!({
        "type": "blobContainer",
        "value": "{hostStorage.primaryEndpoints.blob}packages",
        "authentication": {
            "type": "UserAssignedIdentity",
            "userAssignedIdentityResourceId": "Microsoft.ManagedIdentity/userAssignedIdentities/workspace-management-dev-host",
        },
    });
    let found = &config["deployment"]["storage"];
    expect_equal(&mut findings, "deployment", found, &package);
    let plan = json!({ "name": "FC1", "tier": "FlexConsumption" });
    expect_equal(
        &mut findings,
        "plan",
        &template.resource("plan")["sku"],
        &plan,
    );
    let kind = &template.resource("functions")["kind"];
    expect_equal(&mut findings, "kind", kind, &json!("functionapp,linux"));
    // The host's account is not the one with documents.
    let account = &template.resource("hostStorage")["name"];
    expect(
        &mut findings,
        account != &template.resource("storageAccount")["name"],
        "the host's storage is that of the documents",
    );
    for resource in template.properties("passwords")["template"]["resources"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let allow = &resource["properties"]["allow"];
        expect_equal(
            &mut findings,
            "publishing with a password",
            allow,
            &json!(false),
        );
    }
    let names: Vec<_> = ["ftp", "scm"]
        .map(|way| format!("workspace-management-dev/{way}"))
        .into();
    let closed: Vec<_> = template.properties("passwords")["template"]["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|resource| resource["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    expect(
        &mut findings,
        closed == names,
        format!("closed is {closed:?}"),
    );
    findings
}

/// Every variable: used by the code or the host, not a secret, and none missing.
pub(crate) fn variables(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let app_settings = app_settings(template);
    let host = deployed(template, &[]).resource("hostStorage")["name"].clone();
    for needed in Role::Functions.required_variables() {
        let value = app_settings.get(*needed).map_or("", String::as_str);
        expect(
            &mut findings,
            !value.is_empty(),
            format!("the functions lack `{needed}`"),
        );
    }
    for (name, value) in HOST {
        let expected = value.replace("{host}", host.as_str().unwrap());
        let found = app_settings.get(name);
        expect(
            &mut findings,
            found == Some(&expected),
            format!("`{name}` is {found:?}, not `{expected}`"),
        );
    }
    let code = code();
    for name in app_settings.keys() {
        let hosts = HOST.iter().any(|(known, _)| known == name);
        let read = hosts || code.contains(&format!("\"{name}\""));
        expect(&mut findings, read, format!("nothing reads `{name}`"));
        let refused = REFUSED.contains(&name.as_str());
        expect(&mut findings, !refused, format!("`{name}` is set"));
        let secret = ["KEY", "SECRET", "PASSWORD"]
            .iter()
            .any(|word| name.ends_with(word))
            && name != "AZURE_KEY_VAULT_SECRET";
        expect(
            &mut findings,
            !secret,
            format!("`{name}` shows a secret to every reader of the app"),
        );
    }
    for (name, value) in [
        ("AZURE_CLIENT_ID", "{appIdentity.clientId}"),
        ("AZURE_COMMUNICATION_CLIENT_ID", "{mailIdentity.clientId}"),
        ("AZURE_KEY_VAULT_ENDPOINT", "{vault.vaultUri}"),
        ("AZURE_KEY_VAULT_SECRET", "surface-secret"),
        (
            "AZURE_APP_CONFIGURATION_ENDPOINT",
            "{configuration.endpoint}",
        ),
        (
            "AZURE_COMMUNICATION_FROM",
            "DoNotReply@{mailDomain.mailFromSenderDomain}",
        ),
        ("AZURE_ENTRA_CLIENTS", "one,two"),
        ("AZURE_ENTRA_TRUSTS_EMAIL", "false"),
        ("WM_ENVIRONMENT", "dev"),
    ] {
        let found = app_settings.get(name);
        expect(
            &mut findings,
            found.is_some_and(|found| found == value),
            format!("`{name}` is {found:?}, not `{value}`"),
        );
    }
    findings
}

#[test]
fn functions_match_the_code() {
    assert_check(whole);
    assert_check(variables);
}

pub(crate) fn names(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let selection = BackendSelection::defaults(Provider::Azure);
    let defaults = [
        ("prefix", Some(DEFAULT_PREFIX)),
        ("environment", Some(DEFAULT_ENVIRONMENT)),
        ("storageAccountName", selection.name("storage.account")),
        ("storageContainerName", selection.name("storage.container")),
        ("cosmosAccountName", selection.name("database.account")),
        ("cosmosDatabaseName", selection.name("database.database")),
        ("cosmosContainerName", selection.name("database.container")),
    ];
    for (parameter, name) in defaults {
        let default = template.0["parameters"][parameter]["defaultValue"].as_str();
        expect(
            &mut findings,
            default == name,
            format!("`{parameter}` is {default:?} by default, not {name:?}"),
        );
    }
    findings
}

#[test]
fn parameters_are_where_the_code_reads_them() {
    assert_check(names);
}
