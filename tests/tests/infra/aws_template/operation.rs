//! Name lengths and alarms.

use std::collections::BTreeSet;

use serde_json::json;
use wm_tests::infra::Template;

use super::{Findings, assert_check, expect, expect_members, functions, target};

/// The maximum length of a name per type, and its property.
const NAMES: &[(&str, &str, usize)] = &[
    ("AWS::ApiGatewayV2::Api", "Name", 128),
    ("AWS::CloudWatch::Alarm", "AlarmName", 255),
    ("AWS::Cognito::UserPool", "UserPoolName", 128),
    ("AWS::Cognito::UserPoolClient", "ClientName", 128),
    ("AWS::Cognito::UserPoolDomain", "Domain", 63),
    ("AWS::Events::Archive", "ArchiveName", 48),
    ("AWS::Events::EventBus", "Name", 256),
    ("AWS::Logs::LogGroup", "LogGroupName", 512),
    ("AWS::SQS::Queue", "QueueName", 80),
    ("AWS::SSM::Parameter", "Name", 1011),
    ("AWS::SecretsManager::Secret", "Name", 512),
    ("AWS::Serverless::Function", "FunctionName", 64),
];

pub(crate) fn names(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let longest = |parameter: &str| {
        let length = template.0["Parameters"][parameter]["MaxLength"]
            .as_u64()
            .unwrap_or(4096);
        "x".repeat(usize::try_from(length).unwrap())
    };
    for (kind, property, limit) in NAMES {
        for (resource, found) in template.of_type(kind) {
            let name = found["Properties"][property]["Fn::Sub"]
                .as_str()
                .unwrap_or_default();
            let ours = name.contains("${Prefix}-${Environment}")
                || name.starts_with("/${Prefix}/${Environment}/");
            expect(&mut findings, ours, format!("{resource} is named `{name}`"));
            let widest = name
                .replace("${Prefix}", &longest("Prefix"))
                .replace("${Environment}", &longest("Environment"))
                .replace("${AWS::AccountId}", "123456789012");
            expect(
                &mut findings,
                widest.len() <= *limit,
                format!("{resource} may be named with {} characters", widest.len()),
            );
        }
    }
    for (resource, role) in template.of_type("AWS::IAM::Role") {
        let unnamed = role["Properties"]["RoleName"].is_null();
        expect(
            &mut findings,
            unnamed,
            format!("{resource} takes its name in every region"),
        );
    }
    findings
}

#[test]
fn names_fit_for_any_prefix() {
    assert_check(names);
}

pub(crate) fn alarms(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let mut monitored = BTreeSet::new();
    for (name, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        let dimension = target(&properties["Dimensions"][0]["Value"]).unwrap_or_default();
        monitored.insert((
            properties["MetricName"].as_str().unwrap().to_owned(),
            dimension.to_owned(),
        ));
        let topic = json!({ "Fn::If": ["HasAlarmTopic", [{ "Ref": "AlarmTopicArn" }], { "Ref": "AWS::NoValue" }] });
        let configured = json!({ "AlarmActions": topic, "OKActions": topic, "TreatMissingData": "notBreaching" });
        expect_members(&mut findings, name, properties, &configured);
    }
    let mut wanted: BTreeSet<(String, String)> = [
        ("5xx", "Api"),
        ("Latency", "Api"),
        ("IteratorAge", "RelayFunction"),
        ("ReadThrottleEvents", "TableName"),
        ("WriteThrottleEvents", "TableName"),
    ]
    .map(|(metric, of)| (metric.to_owned(), of.to_owned()))
    .into();
    wanted.extend(
        functions()
            .into_iter()
            .map(|(name, _)| ("Errors".to_owned(), name)),
    );
    wanted.extend(template.of_type("AWS::SQS::Queue").iter().map(|(name, _)| {
        (
            "ApproximateNumberOfMessagesVisible".to_owned(),
            (*name).to_owned(),
        )
    }));
    expect(
        &mut findings,
        monitored == wanted,
        format!("the alarms are on {monitored:#?}"),
    );
    findings
}

#[test]
fn failures_raise_alarms() {
    assert_check(alarms);
}
