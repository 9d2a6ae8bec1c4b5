//! Rights of roles and policies.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::{Value, json};
use wm_tests::{
    golden,
    infra::{TEMPLATE, Template, each, shown},
};

use super::{Findings, assert_check, expect, functions};

/// Actions without resource-level permissions, and why each is needed.
const WITHOUT_RESOURCE: &[(&str, &str)] = &[
    (
        "dynamodb:ListStreams",
        "Lambda asks for it before it reads a stream",
    ),
    ("xray:PutTelemetryRecords", "what a trace is made of"),
    ("xray:PutTraceSegments", "what a trace is made of"),
];

/// The statements of a role or of a resource policy.
fn statements<'a>(template: &'a Template, name: &str) -> Vec<&'a Value> {
    let properties = template.properties(name);
    let policies = each(&properties["Policies"])
        .into_iter()
        .map(|policy| &policy["PolicyDocument"]);
    let documents = policies.chain([&properties["PolicyDocument"]]);
    documents
        .flat_map(|document| each(&document["Statement"]))
        .collect()
}

/// The roles, in the order of the functions.
fn role_names() -> impl Iterator<Item = String> {
    let functions = functions().into_iter();
    functions.map(|(name, _)| name.replace("Function", "Role"))
}

pub(crate) fn least(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let roles = template.of_type("AWS::IAM::Role");
    let mut expected: Vec<String> = role_names().collect();
    expected.sort_unstable();
    let mut names: Vec<&str> = roles.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    expect(
        &mut findings,
        names == expected,
        format!("the roles are {names:?}"),
    );
    for (name, role) in &roles {
        let own = role["Properties"]["ManagedPolicyArns"] == json!([{ "Ref": "StartPolicy" }]);
        expect(
            &mut findings,
            own,
            format!("{name} has policies from outside the template"),
        );
        let trusted = json!([{ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }]);
        let trust = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"];
        expect(
            &mut findings,
            *trust == trusted,
            format!("{name} can be taken on by others"),
        );
    }
    for name in names.into_iter().chain(["StartPolicy"]) {
        for statement in statements(template, name) {
            findings.extend(check_statement(name, statement));
        }
    }
    findings
}

fn check_statement(name: &str, statement: &Value) -> Findings {
    let mut findings = Findings::new();
    expect(
        &mut findings,
        statement["Effect"] == "Allow"
            && statement["NotAction"].is_null()
            && statement["NotResource"].is_null(),
        format!("{name} is not a plain allow statement"),
    );
    let actions: Vec<&str> = each(&statement["Action"])
        .into_iter()
        .filter_map(Value::as_str)
        .collect();
    expect(
        &mut findings,
        !actions.is_empty(),
        format!("{name} allows nothing"),
    );
    for action in &actions {
        expect(
            &mut findings,
            !action.contains('*'),
            format!("{name} may `{action}`"),
        );
    }
    let anything = each(&statement["Resource"])
        .into_iter()
        .any(|resource| resource == "*");
    let cannot_name = |action: &&str| WITHOUT_RESOURCE.iter().any(|(name, _)| name == action);
    let allowed = !anything || actions.iter().all(cannot_name);
    expect(
        &mut findings,
        allowed,
        format!("{name} may {actions:?} on anything"),
    );
    let passing = each(&statement["Resource"])
        .into_iter()
        .filter(|resource| *resource != "*")
        .map(shown);
    for resource in passing {
        // A wildcard may only be at the end, below a named resource.
        let stars = resource.matches('*').count();
        let below = stars == 0 || (stars == 1 && resource.ends_with("/*"));
        expect(&mut findings, below, format!("{name} reaches `{resource}`"));
    }
    findings
}

#[test]
fn functions_have_only_the_rights_they_need() {
    assert_check(least);
    let template = Template::read(TEMPLATE);
    let mut text = String::new();
    let policies = template.of_type("AWS::IAM::ManagedPolicy");
    let policies = policies.iter().map(|(name, _)| (*name).to_owned());
    for name in policies.chain(role_names()) {
        writeln!(text, "{name}").unwrap();
        for (resource, actions) in by_resource(&template, &name) {
            writeln!(
                text,
                "  {resource}\n    {}",
                actions.into_iter().collect::<Vec<_>>().join(" ")
            )
            .unwrap();
        }
    }
    golden::check("aws-rights.txt", &text);
}

/// The permitted actions per resource, with their conditions.
fn by_resource(template: &Template, name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut rights: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in statements(template, name) {
        let condition = match &statement["Condition"] {
            Value::Null => String::new(),
            condition => format!(" if {condition}"),
        };
        for resource in each(&statement["Resource"]) {
            let actions = each(&statement["Action"])
                .into_iter()
                .filter_map(Value::as_str);
            let entry = rights
                .entry(format!("{}{condition}", shown(resource)))
                .or_default();
            entry.extend(actions.map(str::to_owned));
        }
    }
    rights
}
