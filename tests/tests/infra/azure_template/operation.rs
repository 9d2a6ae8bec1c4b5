//! Name lengths, tags, logs and alarms, and the equality of both clouds' concerns and their order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;
use serde_json::{Value, json};
use wm_tests::{
    arm::{Arm, CONTAINER_APP, MAIN, SITE},
    infra, repository,
};

use super::{Findings, assert_check, deployed, expect, expect_equal, expect_members};

/// The maximum length of a name per type, and whether hyphens are allowed.
const NAMES: &[(&str, usize)] = &[
    ("Microsoft.ApiManagement/service", 50),
    ("Microsoft.App/containerApps", 60),
    ("Microsoft.App/managedEnvironments", 60),
    ("Microsoft.AppConfiguration/configurationStores", 50),
    ("Microsoft.Communication/communicationServices", 63),
    ("Microsoft.Communication/emailServices", 63),
    ("Microsoft.DocumentDB/databaseAccounts", 44),
    ("Microsoft.EventGrid/systemTopics", 128),
    ("Microsoft.EventGrid/topics", 50),
    ("Microsoft.Insights/components", 255),
    ("Microsoft.Insights/metricAlerts", 260),
    ("Microsoft.KeyVault/vaults", 24),
    ("Microsoft.ManagedIdentity/userAssignedIdentities", 128),
    ("Microsoft.OperationalInsights/workspaces", 63),
    ("Microsoft.Resources/deployments", 64),
    ("Microsoft.Storage/storageAccounts", 24),
    ("Microsoft.Web/serverfarms", 60),
    ("Microsoft.Web/sites", 60),
];

/// Prefixes and environments of minimum and maximum length.
const EXTREMES: [(&str, &str); 4] = [
    ("workspace-management", "dev"),
    ("abc", "d"),
    ("abcdefghijklmnopqrstuvwxyz-abcde", "production12"),
    ("a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p", "p-r-o-d"),
];

pub(crate) fn names(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    for (prefix, environment) in EXTREMES {
        let extreme = [
            ("prefix", json!(prefix)),
            ("environment", json!(environment)),
        ];
        for (symbol, resource) in deployed(template, &extreme).resources() {
            let kind = resource["type"].as_str().unwrap();
            let Some((_, limit)) = NAMES.iter().find(|(known, _)| *known == kind) else {
                let below = resource["name"]
                    .as_str()
                    .is_some_and(|name| name.contains('/'));
                let unnamed = [
                    "Microsoft.Authorization/roleAssignments",
                    "Microsoft.Insights/diagnosticSettings",
                ];
                expect(
                    &mut findings,
                    below || unnamed.contains(&kind),
                    format!("the maximum name length of {kind} is unknown"),
                );
                continue;
            };
            let name = resource["name"].as_str().unwrap();
            let compact = kind == "Microsoft.Storage/storageAccounts";
            let letters = |letter: char| {
                letter.is_ascii_lowercase()
                    || letter.is_ascii_digit()
                    || (letter == '-' && !compact)
            };
            let fits = name.len() <= *limit
                && name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(letters)
                && !name.contains("--")
                && !name.ends_with('-');
            // One service requires this minimum.
            let fits = fits && name.len() >= 5;
            expect(
                &mut findings,
                fits,
                format!("{symbol} may be named `{name}`, of at most {limit} characters"),
            );
        }
    }
    findings
}

#[test]
fn names_fit_for_any_prefix() {
    assert_check(names);
    for path in [SITE, CONTAINER_APP] {
        let findings = names(&Arm::read(path));
        assert!(findings.is_empty(), "{path}: {findings:#?}");
    }
}

/// Types without tags, or whose tags would only repeat those of their parent.
fn takes_tags(resource: &Value) -> bool {
    let own = resource["location"].is_string();
    own && resource["type"] != "Microsoft.Communication/emailServices/domains/senderUsernames"
}

pub(crate) fn tags(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let chosen = json!({ "owner": "ops", "application": "theirs" });
    let expected =
        json!({ "owner": "ops", "application": "workspace-management", "environment": "dev" });
    let evaluated = deployed(template, &[("tags", chosen)]);
    for (symbol, resource) in evaluated.resources() {
        if takes_tags(resource) {
            expect_equal(&mut findings, symbol, &resource["tags"], &expected);
        }
    }
    findings
}

#[test]
fn every_resource_is_tagged_with_its_owner() {
    for path in [MAIN, SITE, CONTAINER_APP] {
        let findings = tags(&Arm::read(path));
        assert!(findings.is_empty(), "{path}: {findings:#?}");
    }
}

pub(crate) fn alarms(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/actionGroups/ops";
    let silent = deployed(template, &[]);
    let evaluated = deployed(template, &[("alarmActionGroupId", json!(group))]);
    let mut monitored = BTreeSet::new();
    for (symbol, alarm) in evaluated.of_type("Microsoft.Insights/metricAlerts") {
        let properties = &alarm["properties"];
        let criterion = &properties["criteria"]["allOf"][0];
        let scope = properties["scopes"][0].as_str().unwrap();
        monitored.insert((
            criterion["metricName"].as_str().unwrap().to_owned(),
            scope.rsplit_once('/').unwrap().0.to_owned(),
        ));
        let configured = json!({ "enabled": true, "autoMitigate": true, "actions": [{ "actionGroupId": group }] });
        expect_members(&mut findings, symbol, properties, &configured);
        let kind = criterion["metricNamespace"].as_str().unwrap();
        expect(
            &mut findings,
            scope.starts_with(kind),
            format!("{symbol} watches {scope} for what {kind} has"),
        );
        let none = &silent.properties(symbol)["actions"];
        expect_equal(&mut findings, symbol, none, &json!([]));
    }
    let wanted: BTreeSet<(String, String)> = [
        ("Requests", "Microsoft.ApiManagement/service"),
        ("Duration", "Microsoft.ApiManagement/service"),
        ("exceptions/count", "Microsoft.Insights/components"),
        ("DeadLetteredCount", "Microsoft.EventGrid/topics"),
        ("DeadLetteredCount", "Microsoft.EventGrid/systemTopics"),
        ("PublishFailCount", "Microsoft.EventGrid/topics"),
        ("TotalRequests", "Microsoft.DocumentDB/databaseAccounts"),
    ]
    .map(|(metric, of)| (metric.to_owned(), of.to_owned()))
    .into();
    expect(
        &mut findings,
        monitored == wanted,
        format!("the alarms are on {monitored:#?}"),
    );
    let throttled = &evaluated.properties("databaseThrottledAlarm")["criteria"]["allOf"][0];
    let only = json!([{ "name": "StatusCode", "operator": "Include", "values": ["429"] }]);
    expect_equal(
        &mut findings,
        "databaseThrottledAlarm",
        &throttled["dimensions"],
        &only,
    );
    findings
}

pub(crate) fn logs(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let evaluated = deployed(template, &[("logRetentionDays", json!(90))]);
    let days = &evaluated.properties("logs")["retentionInDays"];
    expect_equal(&mut findings, "logs", days, &json!(90));
    let workspace = json!("Microsoft.OperationalInsights/workspaces/workspace-management-dev");
    let kept = &evaluated.properties("insights")["WorkspaceResourceId"];
    expect_equal(&mut findings, "insights", kept, &workspace);
    let mut configured = BTreeSet::new();
    for (symbol, setting) in evaluated.of_type("Microsoft.Insights/diagnosticSettings") {
        let to = &setting["properties"]["workspaceId"];
        expect_equal(&mut findings, symbol, to, &workspace);
        let scope = setting["scope"].as_str().unwrap();
        configured.insert(scope.split('/').take(2).collect::<Vec<_>>().join("/"));
    }
    for kind in [
        "Microsoft.KeyVault/vaults",
        "Microsoft.DocumentDB/databaseAccounts",
        "Microsoft.EventGrid/topics",
        "Microsoft.EventGrid/systemTopics",
    ] {
        expect(
            &mut findings,
            configured.contains(kind),
            format!("no log receives the events of {kind}"),
        );
    }
    findings
}

#[test]
fn failures_raise_alarms_and_are_logged() {
    assert_check(alarms);
    assert_check(logs);
}

/// Concerns in the order of the headings in the AWS template.
fn concerns_of_aws() -> Vec<String> {
    let text = std::fs::read_to_string(repository::root().join(infra::TEMPLATE)).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix("  # ---"));
    headings
        .map(|heading| heading.trim_start_matches('-').trim().to_owned())
        .collect()
}

/// Concerns with the symbolic names of their resources, as a template lists them.
fn concerns(template: &Arm) -> Vec<(String, Vec<String>)> {
    let listed = template.0["metadata"]["concerns"].as_object().unwrap();
    let listed = listed.iter().map(|(concern, symbols)| {
        let symbols = symbols.as_array().unwrap().iter();
        let symbols = symbols.map(|symbol| symbol.as_str().unwrap().to_owned());
        (concern.clone(), symbols.collect())
    });
    listed.collect()
}

/// A resource belongs to one concern.
pub(crate) fn listed(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let mut listed: Vec<String> = concerns(template)
        .into_iter()
        .flat_map(|(_, symbols)| symbols)
        .collect();
    let mut there: Vec<String> = template
        .resources()
        .into_iter()
        .map(|(symbol, _)| symbol.to_owned())
        .collect();
    listed.sort();
    there.sort();
    expect(
        &mut findings,
        listed == there,
        format!("listed is {listed:?}, there is {there:?}"),
    );
    let expected: BTreeSet<String> = concerns_of_aws().into_iter().collect();
    for (concern, _) in concerns(template) {
        expect(
            &mut findings,
            expected.contains(&concern),
            format!("AWS has no `{concern}`"),
        );
    }
    findings
}

/// The dependencies of a resource: explicit ones, and those of its expressions.
fn waits(resource: &Value) -> BTreeSet<String> {
    static REFERENCE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"reference\('([A-Za-z]+)'\)").unwrap());
    let text = resource.to_string();
    let referred = REFERENCE
        .captures_iter(&text)
        .map(|found| found[1].to_owned());
    let named = resource["dependsOn"].as_array().into_iter().flatten();
    let named = named.map(|name| name.as_str().unwrap().to_owned());
    referred.chain(named).collect()
}

/// No dependency is missing or circular.
pub(crate) fn ordered(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let mut left: BTreeMap<String, BTreeSet<String>> = template
        .resources()
        .into_iter()
        .map(|(symbol, resource)| (symbol.to_owned(), waits(resource)))
        .collect();
    loop {
        let ready: Vec<String> = left
            .iter()
            .filter(|(_, waits)| waits.iter().all(|wait| made(template, &left, wait)))
            .map(|(symbol, _)| symbol.clone())
            .collect();
        if ready.is_empty() {
            break;
        }
        left.retain(|symbol, _| !ready.contains(symbol));
    }
    expect(
        &mut findings,
        left.is_empty(),
        format!("these wait for ever: {left:#?}"),
    );
    findings
}

fn made(template: &Arm, left: &BTreeMap<String, BTreeSet<String>>, symbol: &str) -> bool {
    template.resource(symbol).is_object() && !left.contains_key(symbol)
}

#[test]
fn dependencies_exist_and_form_no_circle() {
    for path in [MAIN, SITE, CONTAINER_APP] {
        let findings = ordered(&Arm::read(path));
        assert!(findings.is_empty(), "{path}: {findings:#?}");
    }
}

/// `cargo xtask check` compares the concerns of both clouds.
#[test]
fn every_resource_belongs_to_a_concern() {
    for path in [MAIN, SITE, CONTAINER_APP] {
        let findings = listed(&Arm::read(path));
        assert!(findings.is_empty(), "{path}: {findings:#?}");
    }
}

#[test]
fn resources_follow_the_order_of_their_concerns() {
    for path in [MAIN, SITE, CONTAINER_APP] {
        let text = std::fs::read_to_string(repository::root().join(path)).unwrap();
        // Parsed objects have lost their order, so the text is searched.
        let resources = text.find("\n  \"resources\": {").unwrap();
        let place = |symbol: &str| {
            let mark = format!("\n    \"{symbol}\": {{");
            resources
                + text[resources..]
                    .find(&mark)
                    .unwrap_or_else(|| panic!("{path}: {symbol}"))
        };
        let order = concerns_of_aws();
        let mut ends = 0;
        let listed = concerns(&Arm::read(path));
        for concern in order {
            let symbols = listed.iter().find(|(name, _)| *name == concern);
            for symbol in symbols.map_or(&[][..], |(_, symbols)| symbols) {
                let at = place(symbol);
                assert!(
                    at > ends,
                    "{path}: `{symbol}` stands before another concern"
                );
                ends = at;
            }
        }
    }
}
