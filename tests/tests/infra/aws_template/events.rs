//! Bus, rules, stream and dead letters.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wm_aws::events;
use wm_tests::infra::{Template, each};

use super::{Findings, assert_check, data::refuses_plain_text, expect, expect_members, target};

pub(crate) fn queues(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let queues = template.of_type("AWS::SQS::Queue");
    let expected =
        ["Ingest", "Notify", "Relay", "Sweep"].map(|function| format!("{function}DeadLetters"));
    let mut names: Vec<&str> = queues.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    expect(
        &mut findings,
        names == expected,
        format!("the queues are {names:?}"),
    );
    for (name, queue) in queues {
        let settings =
            json!({ "SqsManagedSseEnabled": true, "MessageRetentionPeriod": 14 * 24 * 3600 });
        expect_members(&mut findings, name, &queue["Properties"], &settings);
        let over_tls = refuses_plain_text(template, "AWS::SQS::QueuePolicy", "sqs:*", name);
        expect(
            &mut findings,
            over_tls,
            format!("{name} is reached without TLS"),
        );
    }
    findings
}

/// The rules that may send to a queue.
fn senders<'a>(template: &'a Template, queue: &str) -> BTreeSet<&'a str> {
    let policies = template.of_type("AWS::SQS::QueuePolicy");
    let policy = policies.into_iter().find(|(_, policy)| {
        each(&policy["Properties"]["Queues"])
            .into_iter()
            .filter_map(target)
            .any(|name| name == queue)
    });
    let statements = policy
        .into_iter()
        .flat_map(|(_, policy)| each(&policy["Properties"]["PolicyDocument"]["Statement"]));
    let allowed = statements.filter(|statement| {
        let principal = json!({ "Service": "events.amazonaws.com" });
        statement["Effect"] == "Allow"
            && statement["Action"] == "sqs:SendMessage"
            && statement["Principal"] == principal
    });
    allowed
        .flat_map(|statement| each(&statement["Condition"]["ArnEquals"]["aws:SourceArn"]))
        .filter_map(target)
        .collect()
}

pub(crate) fn rules(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let rules = template.of_type("AWS::Events::Rule");
    expect(&mut findings, rules.len() == 4, "there are not four rules");
    for (name, rule) in rules {
        for rule_target in each(&rule["Properties"]["Targets"]) {
            let function = target(&rule_target["Arn"]).unwrap_or_default();
            let bounded = rule_target["RetryPolicy"]["MaximumRetryAttempts"].is_u64()
                && rule_target["RetryPolicy"]["MaximumEventAgeInSeconds"].is_u64();
            expect(&mut findings, bounded, format!("{name} tries for ever"));
            let queue = target(&rule_target["DeadLetterConfig"]["Arn"]).unwrap_or_default();
            let own = function.replace("Function", "DeadLetters");
            expect(
                &mut findings,
                queue == own,
                format!("{name} loses what it cannot deliver"),
            );
            expect(
                &mut findings,
                senders(template, queue).contains(name),
                format!("{queue} takes nothing from {name}"),
            );
            expect(
                &mut findings,
                may_invoke(template, name, function),
                format!("{name} may not invoke {function}"),
            );
        }
    }
    let expected = [
        (
            "NotifyRule",
            json!({ "source": [events::SOURCE, events::REDRIVE_SOURCE], "detail-type": [{ "prefix": "wm." }] }),
        ),
        (
            "IngestRule",
            json!({
                "source": ["aws.s3"], "detail-type": ["Object Created"],
                "detail": { "bucket": { "name": [{ "Ref": "BucketName" }] }, "object": { "key": [{ "prefix": "accounts/" }] } },
            }),
        ),
        (
            "IngestRedriveRule",
            json!({ "source": [events::REDRIVE_SOURCE], "detail-type": ["Object Created"] }),
        ),
        ("SweepRule", Value::Null),
    ];
    for (name, pattern) in expected {
        let found = &template.properties(name)["EventPattern"];
        expect(
            &mut findings,
            *found == pattern,
            format!("{name} listens for {found}"),
        );
        let on_ours = pattern["source"] == json!([events::REDRIVE_SOURCE]) || name == "NotifyRule";
        let bus = if on_ours {
            json!({ "Ref": "Bus" })
        } else {
            Value::Null
        };
        expect(
            &mut findings,
            template.properties(name)["EventBusName"] == bus,
            format!("{name} listens to another bus"),
        );
    }
    findings
}

fn may_invoke(template: &Template, rule: &str, function: &str) -> bool {
    template
        .of_type("AWS::Lambda::Permission")
        .iter()
        .any(|(_, permission)| {
            let properties = &permission["Properties"];
            let source = json!({ "Fn::GetAtt": [rule, "Arn"] });
            properties["SourceArn"] == source
                && target(&properties["FunctionName"]) == Some(function)
                && properties["Principal"] == "events.amazonaws.com"
        })
}

/// Every invocation right names its caller.
pub(crate) fn permissions(template: &Template) -> Findings {
    let mut findings = Findings::new();
    for (name, permission) in template.of_type("AWS::Lambda::Permission") {
        let named = permission["Properties"]["SourceArn"].is_object();
        expect(
            &mut findings,
            named,
            format!("{name} lets resources of any account invoke"),
        );
    }
    findings
}

pub(crate) fn relay(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let stream = template.properties("RelayStream");
    let expected = json!({
        "FunctionName": { "Ref": "RelayFunction" },
        "StartingPosition": "TRIM_HORIZON",
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": true,
        "MaximumRetryAttempts": 10,
        "MaximumRecordAgeInSeconds": 600,
        "DestinationConfig": { "OnFailure": { "Destination": { "Fn::GetAtt": ["RelayDeadLetters", "Arn"] } } },
    });
    expect_members(&mut findings, "RelayStream", stream, &expected);
    let filters = each(&stream["FilterCriteria"]["Filters"]);
    let filters: Vec<Value> = filters
        .iter()
        .filter_map(|filter| serde_json::from_str(filter["Pattern"].as_str()?).ok())
        .collect();
    let journal = json!({ "eventName": ["INSERT"], "dynamodb": { "Keys": { "SK": { "S": [{ "prefix": "JOURNAL#" }] } } } });
    expect(
        &mut findings,
        filters == [journal],
        "the relay receives more than new journal entries",
    );
    let archive = json!({ "EventPattern": { "source": [events::SOURCE] }, "RetentionDays": 6 });
    expect_members(
        &mut findings,
        "Archive",
        template.properties("Archive"),
        &archive,
    );
    findings
}

#[test]
fn dead_letters_are_kept_and_added_by_the_platform_only() {
    assert_check(queues);
    assert_check(rules);
    assert_check(permissions);
    assert_check(relay);
}
