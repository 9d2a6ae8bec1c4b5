//! The functions, their environment variables, and the resources that these name.

use serde_json::json;
use wm_aws::{config::Function, secrets};
use wm_core::{
    catalog::{DEFAULT_ENVIRONMENT, DEFAULT_PREFIX, Provider},
    selection::BackendSelection,
};
use wm_tests::{
    infra::{Template, shown},
    repository,
};

use super::{Findings, assert_check, expect, expect_members, functions};

pub(crate) fn whole(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let common = &template.0["Globals"]["Function"];
    let shared = json!({
        "Runtime": "provided.al2023", "Handler": "bootstrap", "Tracing": "Active",
        "Architectures": [{ "Ref": "Architecture" }],
    });
    expect_members(&mut findings, "functions", common, &shared);
    let found = template.of_type("AWS::Serverless::Function").len();
    expect(
        &mut findings,
        found == functions().len(),
        format!("there are {found} functions"),
    );
    for (name, binary) in functions() {
        let title = name.trim_end_matches("Function");
        let properties = template.properties(&name);
        let expected = json!({
            "FunctionName": { "Fn::Sub": format!("${{Prefix}}-${{Environment}}-{binary}") },
            "CodeUri": format!("../../target/lambda/{binary}/"),
            "Role": { "Fn::GetAtt": [format!("{title}Role"), "Arn"] },
            "LoggingConfig": { "LogFormat": "JSON", "LogGroup": { "Ref": format!("{title}Logs") } },
        });
        expect_members(&mut findings, &name, properties, &expected);
        let group = template.properties(&format!("{title}Logs"));
        let logs = json!({
            "LogGroupName": { "Fn::Sub": format!("/aws/lambda/${{Prefix}}-${{Environment}}-{binary}") },
            "RetentionInDays": { "Ref": "LogRetentionDays" },
        });
        expect_members(&mut findings, &name, group, &logs);
        // Invoked asynchronously by events.
        if ["ingest", "notify", "sweep"].contains(&binary) {
            let letters = json!({ "Type": "SQS", "TargetArn": { "Fn::GetAtt": [format!("{title}DeadLetters"), "Arn"] } });
            expect(
                &mut findings,
                properties["DeadLetterQueue"] == letters,
                format!("{name} loses what it cannot do"),
            );
            let bounded = properties["EventInvokeConfig"]["MaximumEventAgeInSeconds"].is_u64();
            expect(
                &mut findings,
                bounded,
                format!("{name} tries for as long as Lambda likes"),
            );
        }
    }
    for (name, group) in template.of_type("AWS::Logs::LogGroup") {
        let kept = group["Properties"]["RetentionInDays"] == json!({ "Ref": "LogRetentionDays" });
        expect(&mut findings, kept, format!("{name} keeps logs for ever"));
    }
    findings
}

/// Every variable of every function: used by the code, not a secret, and none missing.
pub(crate) fn variables(template: &Template) -> Findings {
    let mut findings = Findings::new();
    for (function, (name, _)) in Function::ALL.iter().zip(functions()) {
        let variables = template.variables(&name);
        let lacks = |needed: &&&str| !variables.contains_key(**needed) && **needed != "AWS_REGION";
        let missing: Vec<_> = function.required_variables().iter().filter(lacks).collect();
        expect(
            &mut findings,
            missing.is_empty(),
            format!("{name} lacks {missing:?}"),
        );
        for place in ["AWS_SSM_PATH", "AWS_SECRETS_MANAGER_SECRET"] {
            expect(
                &mut findings,
                variables.contains_key(place),
                format!("{name} lacks `{place}`"),
            );
        }
        for (variable, value) in &variables {
            let read = code().contains(&format!("\"{variable}\""));
            expect(
                &mut findings,
                read,
                format!("no function reads `{variable}`"),
            );
            let hidden = variable == "AWS_SURFACE_SECRET" || shown(value).contains("resolve:");
            expect(
                &mut findings,
                !hidden,
                format!("`{variable}` shows a secret to every reader of {name}"),
            );
        }
        let secret =
            variables.get("AWS_SECRETS_MANAGER_SECRET") == Some(&json!({ "Ref": "Secret" }));
        expect(
            &mut findings,
            secret,
            format!("{name} has no variable for the secret"),
        );
    }
    findings
}

/// The sources of the functions.
pub(crate) fn code() -> String {
    repository::sources("aws-lambda/src/")
}

#[test]
fn functions_match_the_code() {
    assert_check(whole);
    assert_check(variables);
}

pub(crate) fn configuration(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let secret = template.properties("Secret");
    let generated = &secret["GenerateSecretString"];
    let long = generated["PasswordLength"]
        .as_u64()
        .is_some_and(|length| length >= 64);
    expect(
        &mut findings,
        long && secret["SecretString"].is_null(),
        "the secret could be guessed",
    );
    let kept = json!({ "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain" });
    expect_members(
        &mut findings,
        "Secret",
        &template.0["Resources"]["Secret"],
        &kept,
    );
    for (resource, name) in [
        ("SurfaceIdParameter", secrets::SURFACE_ID_PARAMETER),
        ("PublicUrlParameter", secrets::PUBLIC_URL_PARAMETER),
    ] {
        let path = json!({ "Fn::Sub": format!("/${{Prefix}}/${{Environment}}/{name}") });
        expect(
            &mut findings,
            template.properties(resource)["Name"] == path,
            format!("{resource} is not where it is looked for"),
        );
    }
    let path = json!({ "Fn::Sub": "/${Prefix}/${Environment}" });
    let has_path = template.variables("ApiFunction").get("AWS_SSM_PATH") == Some(&path);
    expect(
        &mut findings,
        has_path,
        "the functions look for parameters elsewhere",
    );
    let selection = BackendSelection::defaults(Provider::Aws);
    let defaults = [
        ("Prefix", Some(DEFAULT_PREFIX)),
        ("Environment", Some(DEFAULT_ENVIRONMENT)),
        ("BucketName", selection.name("storage.bucket")),
        ("TableName", selection.name("database.table")),
    ];
    for (parameter, name) in defaults {
        let default = template.0["Parameters"][parameter]["Default"].as_str();
        expect(
            &mut findings,
            default == name,
            format!("`{parameter}` is {default:?} by default, not {name:?}"),
        );
    }
    findings
}

#[test]
fn parameters_and_secrets_are_where_the_code_reads_them() {
    assert_check(configuration);
}
